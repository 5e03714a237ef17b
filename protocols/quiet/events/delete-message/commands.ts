import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { NEVER_MS } from '../../../../core/limits.ts';
import type { Query } from '../../../../core/query.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisOrNone } from '../../rules/basis.ts';
import { getMessageById } from '../message/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { deleteMessage } from './schema.ts';

const DAY_MS = 86_400_000;

const userOf = (query: Query, device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;

/** Deletes a message of one's own, or (with the right) anybody's. */
export const removeMessage = command(
  { description: 'Deletes a message.', input: { message_id: id() } },
  (query, input, ctx) => {
    const message = query(getMessageById, { message_id: input.message_id })[0];
    if (message === undefined) throw refuse('not_found', 'There is no such message here.');
    // Two days, so that a clock that is a little ahead still makes a deletion that outlives its target by one.
    const ttl_ms = message.expires_ms === NEVER_MS ? 0 : message.expires_ms - ctx.now_ms + 2 * DAY_MS;
    const target = { event_id: message.message_id, expires_ms: message.expires_ms };
    const is_mine = userOf(query, message.author) === userOf(query, ctx.me?.device_id ?? message.author);
    const basis_id = is_mine ? null : (basisOrNone(query, ctx, 'delete') ?? null);
    const body = { target_header: '00', target_signature: '00'.repeat(64), basis_id };
    return [event(deleteMessage, body, { ttl_ms, target, stream_id: message.channel_id })];
  },
);
