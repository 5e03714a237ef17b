import { event } from '../../../../core/envelope.ts';
import { id, ttl_ms } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { message } from './schema.ts';

/** Says something in a channel. `ttl_ms` 0: for ever. */
export const sendMessage = command(
  {
    description: 'Says something in a channel.',
    input: { channel_id: id(), text: message.shape.text, ttl_ms: ttl_ms() },
  },
  (query, input) => {
    if (query(isChannel, { channel_id: input.channel_id }).length === 0)
      throw refuse('not_found', 'There is no such channel here.');
    const body = { channel_id: input.channel_id, text: input.text };
    return [event(message, body, { ttl_ms: input.ttl_ms, stream_id: input.channel_id })];
  },
);
