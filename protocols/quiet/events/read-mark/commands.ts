import { instruct } from '../../../../core/envelope.ts';
import { id, time_ms } from '../../../../core/fields.ts';
import { command } from '../../../../core/sources.ts';
import { getReadState } from './queries.ts';
import { readMark } from './schema.ts';

/** Notes that a channel has been read, up to a message's time or (without one) whole. Never goes back, and says nothing twice. */
export const markRead = command(
  {
    description: 'Notes that a channel has been read.',
    input: { channel_id: id(), read_until_ms: time_ms().nullable().default(null) },
  },
  (query, input) => {
    const { newest_ms, read_until_ms } = query(getReadState, { channel_id: input.channel_id })[0]!;
    const until = Math.min(newest_ms ?? 0, input.read_until_ms ?? Number.MAX_SAFE_INTEGER);
    return until > (read_until_ms ?? 0)
      ? [instruct(readMark, { channel_id: input.channel_id, read_until_ms: until })]
      : [];
  },
);
