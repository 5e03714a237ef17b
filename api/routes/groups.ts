/** Routes of groups: some of a network's users, who alone can read their channels. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addGroupRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/groups',
      summary: 'The groups this identity is in.',
      query: requests.selection,
    },
    z.array(views.group_view).readonly(),
    ({ query }) => node.groups(query),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/groups',
      summary: 'Create a group, with a channel of its own.',
      body: requests.group_request,
    },
    views.answers.createGroup,
    ({ body: { users, ...rest } }) => node.createGroup({ user_refs: users, ...rest }),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/groups/{group}',
      summary: 'Delete a group with its channels and messages, for everybody. Cannot be undone.',
      params: requests.group_path,
      query: requests.selection,
    },
    views.answers.deleteGroup,
    ({ path, query }) => node.deleteGroup({ group_ref: path.group, ...query }),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/groups/{group}/members',
      summary: 'The members of a group.',
      params: requests.group_path,
      query: requests.selection,
    },
    z.array(views.member_view).readonly(),
    ({ path, query }) => node.members({ group_ref: path.group, ...query }),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/groups/{group}/members',
      summary: 'Add a user to a group.',
      params: requests.group_path,
      body: requests.group_member_request,
    },
    views.answers.addToGroup,
    ({ path, body: { user, ...rest } }) =>
      node.addToGroup({ group_ref: path.group, user_ref: user, ...rest }),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/groups/{group}/members/{user}',
      summary: 'Remove a user from a group.',
      params: requests.group_member_path,
      query: requests.selection,
    },
    views.answers.removeFromGroup,
    ({ path, query }) => node.removeFromGroup({ group_ref: path.group, user_ref: path.user, ...query }),
  );
}
