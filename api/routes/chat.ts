/** Routes of messages: sending, reading, changing and deleting them, and reactions. */

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
      method: 'post',
      path: '/v1/direct-messages',
      summary: 'Send a message to one user alone.',
      body: requests.dm_request,
    },
    views.answers.dm,
    ({ body: { user, ...rest } }) => node.dm({ user_ref: user, ...rest }),
  );
  define(
    app,
    {
      method: 'patch',
      path: '/v1/messages/{message}',
      summary: 'Change the text of a message everywhere. The old text is forgotten.',
      params: requests.message_path,
      body: requests.edit_request,
    },
    views.answers.edit,
    ({ path, body }) => node.edit({ message_ref: path.message, ...body }),
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
      method: 'get',
      path: '/v1/messages/{message}/versions',
      summary: 'Who wrote which version of a message and when, oldest first.',
      params: requests.message_path,
      query: requests.selection,
    },
    z.array(views.version_view).readonly(),
    ({ path, query }) => node.versions({ message_ref: path.message, ...query }),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/messages/{message}/delivery',
      summary: 'Which other devices have a message, as far as this one knows.',
      params: requests.message_path,
      query: requests.selection,
    },
    views.delivery_view,
    ({ path, query }) => node.delivery({ message_ref: path.message, ...query }),
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
