/** Routes of members: who is in a network, with which devices and rights, and under which name. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addMemberRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/members',
      summary: 'The users of a network, removed ones included.',
      query: requests.selection,
    },
    z.array(views.member_view).readonly(),
    ({ query }) => node.members(query),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/members/{user}',
      summary: 'Remove a user, with all devices, from the network.',
      params: requests.user_path,
      query: requests.selection,
    },
    views.answers.removeUser,
    ({ path, query }) => node.removeUser({ user_ref: path.user, ...query }),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/devices',
      summary: 'The devices of the users of a network.',
      query: requests.selection,
    },
    z.array(views.device_view).readonly(),
    ({ query }) => node.devices(query),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/devices/{device}',
      summary: 'Remove one device from the network.',
      params: requests.device_path,
      query: requests.selection,
    },
    views.answers.removeDevice,
    ({ path, query }) => node.removeDevice({ device_ref: path.device, ...query }),
  );
  define(
    app,
    { method: 'post', path: '/v1/grants', summary: 'Give a user a right.', body: requests.grant_request },
    views.answers.grant,
    ({ body: { user, ...rest } }) => node.grant({ user_ref: user, ...rest }),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/grants/{right}/{user}',
      summary: 'Take a right from a user.',
      params: requests.grant_path,
      query: requests.selection,
    },
    views.answers.revoke,
    ({ path, query }) => node.revoke({ right: path.right, user_ref: path.user, ...query }),
  );
  define(
    app,
    {
      method: 'patch',
      path: '/v1/profile',
      summary: "Change this user's own name.",
      body: requests.name_request,
    },
    views.answers.renameMe,
    ({ body }) => node.renameMe(body),
  );
}
