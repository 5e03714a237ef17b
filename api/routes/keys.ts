/** Routes of what this device can open: keys, prekeys, and what an event waits for. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addKeyRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/keys',
      summary: 'The keys of the groups, and who has been given them. Never the keys themselves.',
      query: requests.selection,
    },
    z.array(views.key_view).readonly(),
    ({ query }) => node.keys(query),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/prekeys',
      summary: 'The prekeys that devices advertise, to which others seal keys.',
      query: requests.selection,
    },
    z.array(views.prekey_view).readonly(),
    ({ query }) => node.prekeys(query),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/events/{event}/why',
      summary: 'Where an event stands, by which rule, and what it waits for.',
      params: requests.event_path,
      query: requests.selection,
    },
    views.why_view,
    ({ path, query }) => node.why({ event_ref: path.event, ...query }),
  );
}
