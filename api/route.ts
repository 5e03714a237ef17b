/**
 * One route of the API: its shape for the OpenAPI document and for checking input, and the call on the facade that answers it.
 *
 * `define` is the only place that knows how zod-openapi wants things said; `routes.ts` stays a table.
 */

import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { refuse } from './errors.ts';
import { nothing } from './requests.ts';
import { error_view } from './views.ts';

interface Shape<Path, Query, Body> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodType<Path>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
}

interface Asked<Path, Query, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
}

const refused = {
  description: 'Refused. `code` is stable, `message` is for people.',
  content: { 'application/json': { schema: error_view } },
};

/**
 * Adds a route that answers with one JSON document.
 *
 * @param answer the shape of what `call` returns; the compiler holds the two together
 */
export function define<Answer, Path = unknown, Query = unknown, Body = unknown>(
  app: OpenAPIHono,
  shape: Shape<Path, Query, Body>,
  answer: z.ZodType<Answer>,
  call: (asked: Asked<Path, Query, Body>) => NoInfer<Answer> | Promise<NoInfer<Answer>>,
): void {
  add(app, shape, { 'application/json': { schema: answer } }, async (c, asked) =>
    c.json(await call(asked as Asked<Path, Query, Body>), 200),
  );
}

/** Adds a route that answers with server-sent events, each carrying one `event` as its data. */
export function defineStream(
  app: OpenAPIHono,
  shape: { readonly path: string; readonly summary: string },
  event: z.ZodType,
  open: () => ReadableStream<Uint8Array>,
): void {
  add(app, { ...shape, method: 'get' }, { 'text/event-stream': { schema: event } }, (c) =>
    c.body(open(), 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }),
  );
}

/** Adds a route whose answer is the OpenAPI document itself, which has no schema here. */
export function defineDocument(app: OpenAPIHono, path: string, document: () => object): void {
  add(
    app,
    { method: 'get', path, summary: 'This document.' },
    { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
    (c) => c.json(document()),
  );
}

function add(
  app: OpenAPIHono,
  shape: Shape<unknown, unknown, unknown>,
  content: Record<string, { schema: z.ZodType }>,
  answer: (c: Context, asked: Asked<unknown, unknown, unknown>) => Response | Promise<Response>,
): void {
  const params = shape.params;
  const query = shape.query ?? nothing;
  const { body } = shape;
  const route = createRoute({
    method: shape.method,
    path: shape.path,
    summary: shape.summary,
    security: [{ token: [] }],
    request: {
      ...(params && { params: params as z.ZodObject }),
      query: query as z.ZodObject,
      ...(body && {
        body: { required: !body.safeParse({}).success, content: { 'application/json': { schema: body } } },
      }),
    },
    responses: { 200: { description: 'OK', content }, default: refused },
  });
  app.openapi(route, (async (c: Context) => {
    const valid = (target: string): unknown => c.req.valid(target as never);
    try {
      return await answer(c, {
        path: params && valid('param'),
        query: valid('query'),
        body: body && (await bodyOf(c, body, valid('json'))),
      });
    } catch (thrown) {
      // Hono hands only instances of Error to onError; anything else would escape it, and the request go unanswered.
      throw thrown instanceof Error ? thrown : new Error('thrown was no Error', { cause: thrown });
    }
  }) as never);
}

/**
 * A body with its defaults. Where one may be left out, the library gives `{}` for it: bare, and also in place of one that it did not read
 * for its content type, so that `leave` with a network in it would mean whichever network there is.
 */
async function bodyOf(c: Context, schema: z.ZodType, valid: unknown): Promise<unknown> {
  const is_json = /^application\/([a-z-.]+\+)?json/.test(c.req.header('content-type') ?? '');
  if (!is_json && (await c.req.text()) !== '') throw new HTTPException(415);
  return is_json ? valid : schema.parse({});
}

/** Answers for input that a route's shape refuses. Names fields and what was expected, never what was in them. */
export function refuseInput(
  result: { success: boolean; target: string; error?: z.ZodError },
  c: Context,
): Response | undefined {
  if (result.success || result.error === undefined) return undefined;
  const place: Readonly<Record<string, string>> = { json: 'body', param: 'path' };
  const problems = result.error.issues.map((issue) => {
    const field = [place[result.target] ?? result.target, ...issue.path].join('.');
    return `${field}: ${issue.message}`;
  });
  return refuse(c, 'bad_input', `${problems.join('; ')}. See /v1/openapi.json for what this route takes.`);
}
