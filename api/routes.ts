/**
 * The local HTTP API of a running node: every route, behind every guard. The only interface that the CLI, and any app beside the node, has.
 *
 * Only this machine's owner may use it: see `guards.ts`, which runs before all else. The same code runs on every host.
 */

import { OpenAPIHono } from '@hono/zod-openapi';
import { assert, type ErrorPlace } from '../core/assert.ts';
import { answerError, refuse } from './errors.ts';
import type { NodeFacade } from './facade.ts';
import { guardBody, guardHost, guardMethod, guardOrigin, guardToken } from './guards.ts';
import { defineDocument, refuseInput } from './route.ts';
import { addChannelRoutes } from './routes/channels.ts';
import { addChatRoutes } from './routes/chat.ts';
import { addForgettingRoutes } from './routes/forgetting.ts';
import { addGroupRoutes } from './routes/groups.ts';
import { addInviteRoutes } from './routes/invites.ts';
import { addJobRoutes } from './routes/jobs.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addMemberRoutes } from './routes/members.ts';
import { addNetworkRoutes } from './routes/networks.ts';
import { addProtocolRoutes } from './routes/protocol.ts';
import { addStreamRoutes } from './routes/streams.ts';

export interface ApiOptions {
  /** What a client must present. Kept in a file that only the node's owner can read. */
  readonly token: string;
  /** `host:port` as clients may write it: `127.0.0.1:4821`, `localhost:4821`, `[::1]:4821`. A function, since port 0 is settled late. */
  readonly allowed_hosts: () => readonly string[];
  /** Told class and place of every failure that is a bug, never its message. */
  readonly onInternalError?: (place: ErrorPlace) => void;
}

/** Builds the API over a node. Each app counts its own open event streams. */
export function createApi(node: NodeFacade, options: ApiOptions): OpenAPIHono {
  assert(options.token.length > 0, 'the API has a token');
  const app = new OpenAPIHono({ defaultHook: refuseInput });
  app.use(guardHost(options.allowed_hosts), guardOrigin(options.allowed_hosts));
  app.use(guardToken(options.token), guardMethod, guardBody);
  app.onError((thrown, c) => answerError(c, thrown, options.onInternalError ?? (() => {})));
  app.notFound((c) =>
    refuse(
      c,
      'unknown_route',
      `There is no route ${c.req.method} ${c.req.path}. See /v1/openapi.json for all of them.`,
    ),
  );

  addNetworkRoutes(app, node);
  addInviteRoutes(app, node);
  addMemberRoutes(app, node);
  addGroupRoutes(app, node);
  addChannelRoutes(app, node);
  addChatRoutes(app, node);
  addKeyRoutes(app, node);
  addForgettingRoutes(app, node);
  addJobRoutes(app, node);
  addProtocolRoutes(app, node);
  addStreamRoutes(app, node);
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  defineDocument(app, '/v1/openapi.json', () =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'Sotto', version: node.status().version },
    }),
  );
  return app;
}
