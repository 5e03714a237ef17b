/** Routes of entering a network: links that let people and devices in, and the joining itself. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addInviteRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/invites',
      summary: 'The invites of a network, those of devices included.',
      query: requests.selection,
    },
    z.array(views.invite_view).readonly(),
    ({ query }) => node.invites(query),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/invites',
      summary: 'Make a link that lets others join.',
      body: requests.invite_request,
    },
    views.answers.createInvite,
    ({ body }) => node.createInvite(body),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/invites/{invite}',
      summary: 'Revoke an invite. Who is in by it stays in.',
      params: requests.invite_path,
      query: requests.selection,
    },
    views.answers.revokeInvite,
    ({ path, query }) => node.revokeInvite({ invite_ref: path.invite, ...query }),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/device-links',
      summary: 'Make a link by which another device of this user joins.',
      body: requests.device_link_request,
    },
    views.answers.linkDevice,
    ({ body }) => node.linkDevice(body),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/join',
      summary: 'Join by a link; answers once a member has let us in.',
      body: requests.join_request,
    },
    views.answers.join,
    ({ body }) => node.join(body),
  );
}
