import { insert, projector } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { retention } from './schema.ts';

export const projectRetention = projector(retention, {
  rules: {
    /** Everybody in it may say how long its messages live, as they may name it. */
    channel_is_in_its_group: (query, event) =>
      query(isChannel, { channel_id: event.body.channel_id })[0]?.group_id === event.group_id,
  },
  project: (_query, event) => [
    insert('retention', { channel: event.body.channel_id, ttl_ms: event.body.ttl_ms }),
  ],
});
