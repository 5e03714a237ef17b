/** Routes of the chat: channels, messages, reactions. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addChatRoutes(app: OpenAPIHono, node: NodeFacade): void {
  define(
    app,
    {
      method: 'get',
      path: '/v1/channels',
      summary: 'The channels of a network.',
      query: requests.selection,
    },
    z.array(views.channel_view).readonly(),
    ({ query }) => node.channels(query),
  );
  define(
    app,
    { method: 'post', path: '/v1/channels', summary: 'Create a channel.', body: requests.channel_request },
    views.answers.createChannel,
    ({ body }) => node.createChannel(body),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/messages',
      summary: 'The newest messages of a channel, oldest of them first.',
      query: requests.read_query,
    },
    z.array(views.message_view).readonly(),
    ({ query: { channel, ...rest } }) => node.read({ channel_ref: channel, ...rest }),
  );
  define(
    app,
    { method: 'post', path: '/v1/messages', summary: 'Send a message.', body: requests.send_request },
    views.answers.send,
    ({ body: { channel, ...rest } }) => node.send({ channel_ref: channel, ...rest }),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/messages/{message}',
      summary: 'Delete a message everywhere.',
      params: requests.message_path,
      query: requests.selection,
    },
    views.answers.delete,
    ({ path, query }) => node.delete({ message_ref: path.message, ...query }),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/reactions',
      summary: 'React to a message.',
      body: requests.reaction_request,
    },
    views.answers.react,
    ({ body: { message, ...rest } }) => node.react({ message_ref: message, ...rest }),
  );
}
