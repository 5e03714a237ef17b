import { projector, upsert } from '../../../../core/sources.ts';
import { readMark } from './schema.ts';

export const projectReadMark = projector(readMark, {
  project: (_query, event) => [
    upsert('read_mark', ['identity', 'channel'], {
      channel: event.body.channel_id,
      read_until_ms: event.body.read_until_ms,
    }),
  ],
});
