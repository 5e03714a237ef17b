/** Routes of forgetting: what is still owed, what was erased and when, how far deletions have come, and the chain run at once. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as forgetting from '../forgetting-views.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';

export function addForgettingRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/forgetting',
      summary: 'Where forgetting stands: every key, and what each stage still owes.',
      query: requests.selection,
    },
    forgetting.forgetting_view,
    ({ query }) => node.forgetting(query),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/receipts',
      summary: 'The receipts of erasures, newest first. Never with content.',
      query: requests.receipts_query,
    },
    z.array(forgetting.receipt_view).readonly(),
    ({ query }) => node.receipts(query),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/deletions',
      summary: 'How far deletions have come, newest first.',
      query: requests.deletions_query,
    },
    z.array(forgetting.deletion_view).readonly(),
    ({ query }) => node.deletions(query),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/forget',
      summary: 'Forget now, for about a second; to be called again as long as `goes_on` is true.',
      body: requests.selection,
    },
    forgetting.forget_answer,
    ({ body }) => node.forget(body),
  );
}
