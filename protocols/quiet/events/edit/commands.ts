import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { NEVER_MS } from '../../../../core/limits.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { getMessageById } from '../message/queries.ts';
import { edit } from './schema.ts';

/** Gives a message of one's own a new text. The old one is forgotten. */
export const editMessage = command(
  {
    description: 'Gives a message of your own a new text.',
    input: { message_id: id(), text: edit.shape.text },
  },
  (query, input, ctx) => {
    const message = query(getMessageById, { message_id: input.message_id })[0];
    if (message === undefined) throw refuse('not_found', 'There is no such message here.');
    const ttl_ms = message.expires_ms === NEVER_MS ? 0 : message.expires_ms - ctx.now_ms;
    const body = {
      channel_id: message.channel_id,
      text: input.text,
      target_header: '00',
      target_signature: '00'.repeat(64),
    };
    const target = { event_id: message.message_id, expires_ms: message.expires_ms };
    return [event(edit, body, { ttl_ms, target, stream_id: message.channel_id })];
  },
);
