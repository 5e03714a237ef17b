import { event } from '../../../../core/envelope.ts';
import { id, ttl_ms } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { retention } from './schema.ts';

/** Says how long new messages in a channel live. `ttl_ms` 0: for ever. */
export const setRetention = command(
  {
    description: 'Says how long new messages in a channel live.',
    input: { channel_id: id(), ttl_ms: ttl_ms() },
  },
  (query, input) => {
    if (query(isChannel, { channel_id: input.channel_id }).length === 0)
      throw refuse('not_found', 'There is no such channel here.');
    const { channel_id } = input;
    return [event(retention, { channel_id, ttl_ms: input.ttl_ms }, { stream_id: channel_id })];
  },
);
