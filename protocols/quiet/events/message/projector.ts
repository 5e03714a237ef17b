import { insert, projector } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { message } from './schema.ts';

export const projectMessage = projector(message, {
  rules: {
    channel_is_in_its_group: (query, event) =>
      query(isChannel, { channel_id: event.body.channel_id })[0]?.group_id === event.group_id,
  },
  project: (_query, event) => [
    insert('message', {
      channel: event.body.channel_id,
      created_ms: event.created_ms,
      seq: event.seq,
      shown: event.event_id,
    }),
  ],
});
