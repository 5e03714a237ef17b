/**
 * Rekeying is rewrapping: the content key of an event is sealed once more, under another group key. The event itself, and its body, stay as they are.
 * The instruction says what a job found to be owed; here it is asked again whether it is, in the transaction that does it.
 */

import { decodeSealed } from '../../../core/body-codec.ts';
import type { Identity } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { limits } from '../../../core/limits.ts';
import { advance } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { openBody, wrapContentKey } from './content-key.ts';
import { type HeldKey, heldKey, type OpenKey, withKeys } from './group-keys.ts';
import { standingOf } from './store.ts';
import { drop } from './waiting.ts';
import { openWinner, openWrap, replaceWraps, type Winner, winnersOf } from './wraps.ts';

interface RekeyBody {
  readonly key_id: Id;
  readonly event_ids: readonly Id[];
}
type KeyOf = (n: number) => OpenKey;

export const rekey = handler({
  name: 'rekey',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'rekey',
  process: (envelope, context) => {
    const { identity } = envelope;
    const { key_id, event_ids } = envelope.event.body as unknown as RekeyBody;
    const to = cleanKey(context, identity, key_id);
    if (to === null) {
      context.count('rekey:key_not_clean');
      return advance(envelope);
    }
    const winners = winnersOf(context, identity, event_ids);
    const made: { n: number; sealed: Uint8Array }[] = [];
    withKeys(context, (keyOf) => {
      const most = room(context, to);
      for (const event_id of new Set(event_ids)) {
        const source = winners.get(event_id);
        if (source === undefined) rewrapWaiting(event_id, to, identity, keyOf, context);
        else if (made.length === most) context.count('rekey:key_full');
        else {
          const sealed = rewrapped(source, to, keyOf, context);
          if (sealed !== null) made.push({ n: source.n, sealed });
        }
      }
    });
    replaceWraps(context, to.n, made);
    return advance(envelope);
  },
});

function cleanKey(context: HandlerContext, identity: Identity, key_id: Id): HeldKey | null {
  const key = heldKey(context, identity, key_id);
  return key === null || key.is_dirty || key.expires_ms <= context.now_ms ? null : key;
}

function room(context: HandlerContext, to: HeldKey): number {
  const row = context.statement('SELECT events FROM group_key WHERE n = :n').get({ n: to.n });
  return Math.max(0, limits.events_per_key_max - (row?.events as number));
}

/** Whether a wrap may move from the one key to the other: same group, same channel, and the key outlives the event. */
const mayMove = (
  from: { readonly group_id: Id; readonly channel_id: Id | null },
  to: HeldKey,
  expires_ms: number,
): boolean =>
  from.group_id === to.group_id && from.channel_id === to.channel_id && to.expires_ms >= expires_ms;

/** The wrap under the new key; null where none is owed: it does not live, or a clean key opens it, or this is not its key. */
function rewrapped(source: Winner, to: HeldKey, keyOf: KeyOf, context: HandlerContext): Uint8Array | null {
  if (!source.is_dirty || source.expires_ms <= context.now_ms) return null;
  const from = keyOf(source.key_n);
  if (!mayMove(from, to, source.expires_ms)) return null;
  const content_key = openWinner(from, source);
  if (content_key === null) return null;
  const { secret, id } = keyOf(to.n);
  const sealed = wrapContentKey(secret, source.id, id, content_key);
  wipe(content_key);
  return sealed;
}

/**
 * An event that waits may be all that is left of it: its wraps under dirty keys are looked at for the first time here. The first that opens is made one under
 * the clean key, the others go; what does not open is nothing.
 */
function rewrapWaiting(
  event_id: Id,
  to: HeldKey,
  identity: Identity,
  keyOf: KeyOf,
  context: HandlerContext,
): void {
  const row = context
    .statement('SELECT n, header, body, expires_ms FROM waiting WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  if (row === undefined) return;
  const n = row.n as number;
  const header = decodeHeader(row.header as Uint8Array);
  const wraps = context
    .statement('SELECT place, key_id, sealed FROM waiting_wrap WHERE waiting = :n ORDER BY place')
    .all({ n });
  let is_done = false;
  for (const { place, key_id: key_bytes, sealed } of wraps) {
    const key_id = (key_bytes as Uint8Array).toHex();
    const from = heldKey(context, identity, key_id);
    if (from === null || !from.is_dirty) continue;
    const content_key =
      !is_done && mayMove(from, to, row.expires_ms as number)
        ? openWrap(keyOf(from.n).secret, event_id, header.key_commitment, {
            key_id,
            sealed: sealed as Uint8Array,
          })
        : null;
    if (content_key === null) {
      context
        .statement('DELETE FROM waiting_wrap WHERE waiting = :n AND place = :place')
        .run({ n, place: place as number });
      continue;
    }
    const raw = { header: row.header as Uint8Array, body: row.body as Uint8Array };
    const is_dead = editsTheDead(header, content_key, raw, identity, context);
    if (!is_dead)
      context
        .statement(
          'UPDATE waiting_wrap SET key_id = :key_id, sealed = :sealed WHERE waiting = :n AND place = :place',
        )
        .run({
          n,
          place: place as number,
          key_id: Uint8Array.fromHex(to.key_id),
          sealed: wrapContentKey(keyOf(to.n).secret, event_id, to.key_id, content_key),
        });
    wipe(content_key);
    if (is_dead) {
      drop(context, n);
      return;
    }
    is_done = true;
  }
  const left = context.statement('SELECT 1 AS found FROM waiting_wrap WHERE waiting = :n').get({ n });
  if (left === undefined) drop(context, n);
}

/** An edit of what was deleted meanwhile is not to be kept alive: its words are those of the deleted. */
function editsTheDead(
  header: ReturnType<typeof decodeHeader>,
  content_key: Uint8Array,
  raw: { readonly header: Uint8Array; readonly body: Uint8Array },
  identity: Identity,
  context: HandlerContext,
): boolean {
  if (header.target === null) return false;
  if (standingOf(context, identity, header.target.event_id).standing !== 'dead') return false;
  const plaintext = openBody(content_key, raw.header, raw.body);
  if (plaintext === null) return true;
  const { type } = decodeSealed(plaintext);
  return context.protocol.types.get(type)?.value.effect !== 'delete';
}
