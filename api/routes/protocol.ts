/** Routes of the protocol as it was loaded: its reflectors, and its queries and commands by name, an app's own included. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addProtocolRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    { method: 'get', path: '/v1/reflectors', summary: 'The reflectors of the protocol.' },
    views.answers.reflectors,
    () => node.reflectors(),
  );
  define(
    app,
    { method: 'get', path: '/v1/queries', summary: 'The queries of the protocol.' },
    views.answers.queries,
    () => node.queries(),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/queries/{name}',
      summary: 'Run a query.',
      params: requests.name_path,
      body: requests.query_request,
    },
    views.answers.query,
    ({ path, body: { params, ...selector } }) => node.query(path.name, params, selector),
  );
  define(
    app,
    { method: 'get', path: '/v1/commands', summary: 'The commands of the protocol.' },
    views.answers.commands,
    () => node.commands(),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/commands/{name}',
      summary: 'Run a command of the protocol.',
      params: requests.name_path,
      body: requests.command_request,
    },
    views.answers.command,
    ({ path, body: { input, ...selector } }) => node.command(path.name, input, selector),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/trace',
      summary: 'How the newest envelopes went through the handlers.',
      query: requests.trace_query,
    },
    z.array(views.trace_view).readonly(),
    ({ query }) => node.trace(query.limit, query.since),
  );
}
