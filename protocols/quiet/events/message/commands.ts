import { event } from '../../../../core/envelope.ts';
import { id, ttl_ms } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { isChannel } from '../channel/queries.ts';
import { getRetention } from '../retention/queries.ts';
import { message } from './schema.ts';

/** Says something in a channel. `ttl_ms` 0: for ever; null: as the channel says (see `retention`), for ever where it says nothing. */
export const sendMessage = command(
  {
    description: 'Says something in a channel.',
    input: { channel_id: id(), text: message.shape.text, ttl_ms: ttl_ms().nullable() },
  },
  (query, input) => {
    if (query(isChannel, { channel_id: input.channel_id }).length === 0)
      throw refuse('not_found', 'There is no such channel here.');
    const { channel_id, text } = input;
    const lives_ms = input.ttl_ms ?? query(getRetention, { channel_id })[0]?.ttl_ms ?? 0;
    return [event(message, { channel_id, text }, { ttl_ms: lives_ms, stream_id: channel_id })];
  },
);
