/** Routes of the node itself, its networks and its peers. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addNetworkRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    { method: 'get', path: '/v1/status', summary: 'What this node is and how it does.' },
    views.status_view,
    () => node.status(),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/networks',
      summary: 'Create a network, with a channel `general`.',
      body: requests.network_request,
    },
    views.answers.createNetwork,
    ({ body }) => node.createNetwork(body),
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
      method: 'post',
      path: '/v1/join',
      summary: 'Join by a link; answers once a member has let us in.',
      body: requests.join_request,
    },
    views.answers.join,
    ({ body }) => node.join(body),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/peers',
      summary: 'The devices of a network.',
      query: requests.selection,
    },
    z.array(views.peer_view).readonly(),
    ({ query }) => node.peers(query),
  );
  define(
    app,
    { method: 'post', path: '/v1/clock/confirm', summary: 'Say that the clock is right after all.' },
    views.answers.clockConfirm,
    () => node.clockConfirm(),
  );
}
