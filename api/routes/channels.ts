/** Routes of channels: what there is to read, for how long, and how far this identity has read it. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addChannelRoutes(app: OpenAPIHono, node: NodeFacade): void {
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
    {
      method: 'post',
      path: '/v1/channels',
      summary: 'Create a channel, for the whole network or for a group.',
      body: requests.channel_request,
    },
    views.answers.createChannel,
    ({ body: { group, ...rest } }) => node.createChannel({ group_ref: group, ...rest }),
  );
  define(
    app,
    {
      method: 'patch',
      path: '/v1/channels/{channel}',
      summary: 'Rename a channel.',
      params: requests.channel_path,
      body: requests.name_request,
    },
    views.answers.renameChannel,
    ({ path, body }) => node.renameChannel({ channel_ref: path.channel, ...body }),
  );
  define(
    app,
    {
      method: 'put',
      path: '/v1/channels/{channel}/retention',
      summary: 'Say how long new messages of a channel live. Those that are there keep their time.',
      params: requests.channel_path,
      body: requests.retention_request,
    },
    views.answers.setRetention,
    ({ path, body }) => node.setRetention({ channel_ref: path.channel, ...body }),
  );
  define(
    app,
    {
      method: 'delete',
      path: '/v1/channels/{channel}',
      summary: 'Delete a channel with all its messages, for everybody. Cannot be undone.',
      params: requests.channel_path,
      query: requests.selection,
    },
    views.answers.deleteChannel,
    ({ path, query }) => node.deleteChannel({ channel_ref: path.channel, ...query }),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/unread',
      summary: 'How much of each channel is not read yet.',
      query: requests.selection,
    },
    z.array(views.unread_view).readonly(),
    ({ query }) => node.unread(query),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/read-marks',
      summary: 'Note that a channel has been read, up to a time or whole.',
      body: requests.read_mark_request,
    },
    views.answers.markRead,
    ({ body: { channel, ...rest } }) => node.markRead({ channel_ref: channel, ...rest }),
  );
}
