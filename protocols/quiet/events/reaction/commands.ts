import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { NEVER_MS } from '../../../../core/limits.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { getMessageById } from '../message/queries.ts';
import { reaction } from './schema.ts';

/** Reacts to a message, for as long as the message lives. */
export const react = command(
  { description: 'Reacts to a message.', input: { message_id: id(), emoji: reaction.shape.emoji } },
  (query, input, ctx) => {
    const message = query(getMessageById, { message_id: input.message_id })[0];
    if (message === undefined) throw refuse('not_found', 'There is no such message here.');
    const ttl_ms = message.expires_ms === NEVER_MS ? 0 : Math.max(1, message.expires_ms - ctx.now_ms);
    return [
      event(
        reaction,
        { message_id: input.message_id, emoji: input.emoji },
        { ttl_ms, stream_id: message.channel_id },
      ),
    ];
  },
);
