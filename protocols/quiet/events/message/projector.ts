import { insert, projector } from '../../../../core/sources.ts';
import { isChannel } from './queries.ts';
import { message } from './schema.ts';

export const projectMessage = projector(message, {
  rules: {
    channel_is_a_channel: (query, event) =>
      query(isChannel, { channel_id: event.body.channel_id }).length > 0,
  },
  project: (_query, event) => [
    insert('message', { channel: event.body.channel_id, created_ms: event.created_ms, seq: event.seq }),
  ],
});
