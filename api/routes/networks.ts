/** Routes of the node itself, its networks, who it is in them, and its peers. */

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
      method: 'delete',
      path: '/v1/networks/{network}',
      summary: 'Erase a network from this node: rows, keys, everything. The other members keep theirs.',
      params: requests.network_path,
      query: requests.identity_selection,
    },
    views.answers.deleteNetwork,
    ({ path, query }) => node.deleteNetwork({ ...path, ...query }),
  );
  define(
    app,
    { method: 'post', path: '/v1/leave', summary: 'Leave a network.', body: requests.leave_request },
    views.answers.leave,
    ({ body }) => node.leave(body),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/whoami',
      summary: 'Who this node is, in each of its networks.',
      query: requests.selection,
    },
    z.array(views.who_view).readonly(),
    ({ query }) => node.whoami(query),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/peers',
      summary: 'The devices of a network, and how they are connected.',
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
