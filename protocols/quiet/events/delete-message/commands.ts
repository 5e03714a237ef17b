import { type EventDraft, event } from '../../../../core/envelope.ts';
import { type Id, id } from '../../../../core/fields.ts';
import { limits, NEVER_MS } from '../../../../core/limits.ts';
import type { Query } from '../../../../core/query.ts';
import { type CommandContext, command, refuse } from '../../../../core/sources.ts';
import { basisOrNone } from '../../rules/basis.ts';
import { getMessageById } from '../message/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { getDeletable } from './queries.ts';
import { deleteMessage } from './schema.ts';

const DAY_MS = 86_400_000;

const userOf = (query: Query, device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;

/** The deletion of one event: by its author's user, or by the right to delete what others wrote. */
function deletionOf(
  query: Query,
  ctx: CommandContext,
  target: { readonly event_id: Id; readonly author: Id; readonly expires_ms: number },
  where: { readonly stream_id: Id } | { readonly group_id: Id },
): EventDraft {
  // Two days, so that a clock that is a little ahead still makes a deletion that outlives its target by one.
  const outliving_ms = target.expires_ms - ctx.now_ms + 2 * DAY_MS;
  const ttl_ms = target.expires_ms === NEVER_MS ? 0 : Math.min(outliving_ms, limits.lifetime_ms_max);
  const is_mine = userOf(query, target.author) === userOf(query, ctx.me?.device_id ?? target.author);
  const basis_id = is_mine ? null : (basisOrNone(query, ctx, 'delete') ?? null);
  const { event_id, expires_ms } = target;
  return event(
    deleteMessage,
    { target_header: '00', target_signature: '00'.repeat(64), basis_id },
    { ttl_ms, target: { event_id, expires_ms }, ...where },
  );
}

/** Deletes a message of one's own, or (with the right) anybody's. */
export const removeMessage = command(
  { description: 'Deletes a message.', input: { message_id: id() } },
  (query, input, ctx) => {
    const message = query(getMessageById, { message_id: input.message_id })[0];
    if (message === undefined) throw refuse('not_found', 'There is no such message here.');
    const target = { ...message, event_id: message.message_id };
    return [deletionOf(query, ctx, target, { stream_id: message.channel_id })];
  },
);

/** Deletes a channel with everything in it: one's own, or (with the right) anybody's. */
export const removeChannel = command(
  { description: 'Deletes a channel with everything in it.', input: { channel_id: id() } },
  (query, input, ctx) => {
    const channel = query(getDeletable, { group_id: null, channel_id: input.channel_id })[0];
    if (channel === undefined) throw refuse('not_found', 'There is no such channel here.');
    return [deletionOf(query, ctx, channel, { group_id: channel.group_id })];
  },
);

/**
 * Deletes everything in a private group: its channels with all that is in them, and its names. What is left is that it was there, and who was in it.
 * The group is gone for people as long as nobody opens a channel in it again.
 */
export const removeGroup = command(
  { description: 'Deletes a private group with everything in it.', input: { group_id: id() } },
  (query, input, ctx) => {
    const all = query(getDeletable, { group_id: input.group_id, channel_id: null });
    if (all.length === 0) throw refuse('not_found', 'There is nothing to delete in this group.');
    return all.map((target) => deletionOf(query, ctx, target, { group_id: input.group_id }));
  },
);
