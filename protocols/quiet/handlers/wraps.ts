/**
 * The wraps of stored events (`wrap` in `store.sql`), and what follows from them for the keys: a key is dirty once it has wrapped an event that
 * was deleted or edited, whether the wrap is still here or not. Of several wraps the one under a clean key with the smallest expiry wins, then
 * the lowest key id: the same on every device.
 */
import type { SqlRow } from '../../../core/db.ts';
import type { Identity, Wrap } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { commitmentIn } from '../../../core/header-codec.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { commitmentTo, unwrapContentKey, wrap_bytes } from './content-key.ts';
import { type GroupKeyRow, type OpenKey, withKey } from './group-keys.ts';

/** A wrap with the key it is under, the winning one first. */
export interface StoredWrap extends Wrap {
  readonly key: GroupKeyRow;
  readonly group_id: Id;
  readonly channel_id: Id | null;
  readonly is_dirty: boolean;
}

/** The wraps of a stored event that can be opened here, the winning one first. */
export function storedWraps(context: HandlerContext, n: number): StoredWrap[] {
  return context.statement(STORED).all({ n }).map(storedWrap);
}

const COLUMNS = `k.n, k.id, k.slot, k.group_id, k.channel_id, k.dirty_ms IS NOT NULL AS is_dirty, w.sealed`;
const CAN_BE_OPENED = 'w.sealed IS NOT NULL AND k.slot IS NOT NULL';
const WINNER_FIRST = 'ORDER BY k.dirty_ms IS NOT NULL, k.expires_ms, k.id';
const STORED = `SELECT ${COLUMNS} FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = :n AND ${CAN_BE_OPENED} ${WINNER_FIRST}`;
const WINNERS = `
  SELECT e.n, e.id, e.header, e.expires_ms, k.n AS key_n, k.dirty_ms IS NOT NULL AS is_dirty, w.sealed
  FROM event e JOIN wrap w ON w.of = e.n JOIN group_key k ON k.n = w.key
  WHERE e.identity = :identity AND e.id IN (SELECT unhex(value) FROM json_each(:event_ids)) AND e.body IS NOT NULL AND ${CAN_BE_OPENED}`;

/** A live event with its winning wrap. */
export interface Winner {
  readonly n: number;
  readonly id: Uint8Array;
  readonly expires_ms: number;
  readonly header: Uint8Array;
  readonly key_n: number;
  readonly is_dirty: boolean;
  readonly sealed: Uint8Array;
}

/** Live events with their winning wraps, all in one look. Those are missing that are not there, or that nothing here opens. */
export const winnersOf = (
  context: HandlerContext,
  identity: Identity,
  event_ids: readonly Id[],
): ReadonlyMap<Id, Winner> => winners(context, WINNERS, identity, event_ids);

/** The same of those that a clean key opens, or is said to. */
export const cleanWinnersOf = (
  context: HandlerContext,
  identity: Identity,
  event_ids: readonly Id[],
): ReadonlyMap<Id, Winner> => winners(context, `${WINNERS} AND k.dirty_ms IS NULL`, identity, event_ids);

function winners(context: HandlerContext, sql: string, identity: Identity, event_ids: readonly Id[]) {
  const winners = new Map<Id, Winner>();
  for (const row of context.statement(sql).all({ identity, event_ids: JSON.stringify(event_ids) })) {
    const event_id = (row.id as Uint8Array).toHex();
    const is_dirty = row.is_dirty === 1;
    const known = winners.get(event_id);
    // Of several clean ones any will do here, of several dirty ones, too: which one is shown and sent is asked elsewhere.
    if (known !== undefined && (is_dirty || !known.is_dirty)) continue;
    winners.set(event_id, {
      n: row.n as number,
      id: row.id as Uint8Array,
      expires_ms: row.expires_ms as number,
      header: row.header as Uint8Array,
      key_n: row.key_n as number,
      is_dirty,
      sealed: row.sealed as Uint8Array,
    });
  }
  return winners;
}

function storedWrap(row: SqlRow): StoredWrap {
  const key_id = (row.id as Uint8Array).toHex();
  return {
    key: { n: row.n as number, key_id, slot: row.slot as number },
    key_id,
    sealed: row.sealed as Uint8Array,
    group_id: (row.group_id as Uint8Array).toHex(),
    channel_id: row.channel_id instanceof Uint8Array ? row.channel_id.toHex() : null,
    is_dirty: row.is_dirty === 1,
  };
}

/** The wraps of a stored event as they travel: under clean keys where there are any. */
export function wrapsOf(context: HandlerContext, n: number): Wrap[] {
  const all = storedWraps(context, n);
  const clean = all.filter((wrap) => !wrap.is_dirty);
  return (clean.length > 0 ? clean : all).map(({ key_id, sealed }) => ({ key_id, sealed }));
}

/** Keeps a wrap that was seen to open. */
export function addWrap(context: HandlerContext, n: number, key_n: number, sealed: Uint8Array): void {
  const { changes } = context
    .statement('INSERT INTO wrap (of, key, sealed) VALUES (:n, :key_n, :sealed) ON CONFLICT DO NOTHING')
    .run({ n, key_n, sealed });
  if (changes > 0) countWraps(context, key_n, 1);
}

/** Notes that an event's wraps under dirty keys are not needed any more: there is one under a clean key. */
export function markReplaced(context: HandlerContext, n: number): void {
  context
    .statement(
      `UPDATE wrap SET replaced = 1 WHERE of = :n AND replaced = 0 AND sealed IS NOT NULL
         AND key IN (SELECT n FROM group_key WHERE dirty_ms IS NOT NULL)
         AND EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key
           WHERE w.of = :n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL AND k.dirty_ms IS NULL)`,
    )
    .run({ n });
}

/** The same for events that have been under dirty keys alone: all their other wraps are replaced by these. */
export function replaceWraps(
  context: HandlerContext,
  key_n: number,
  wraps: readonly { readonly n: number; readonly sealed: Uint8Array }[],
): void {
  context
    .statement(
      'UPDATE wrap SET replaced = 1 WHERE of IN (SELECT value FROM json_each(:all)) AND replaced = 0 AND sealed IS NOT NULL',
    )
    .run({ all: JSON.stringify(wraps.map(({ n }) => n)) });
  // One statement for all: the wraps as one run of bytes, each as long as the other.
  const all_sealed = new Uint8Array(wraps.length * wrap_bytes);
  wraps.forEach(({ sealed }, place) => {
    all_sealed.set(sealed, place * wrap_bytes);
  });
  context
    .statement(
      `INSERT INTO wrap (of, key, sealed)
       SELECT value, :key_n, substr(:all_sealed, key * :wrap_bytes + 1, :wrap_bytes) FROM json_each(:all)`,
    )
    .run({ all: JSON.stringify(wraps.map(({ n }) => n)), key_n, all_sealed, wrap_bytes });
  countWraps(context, key_n, wraps.length);
}

/** Removes the wraps under dirty keys of events that live on. */
export function dropDirtyWraps(context: HandlerContext, sound: readonly Winner[]): void {
  const rows = context
    .statement(
      `DELETE FROM wrap WHERE of IN (SELECT value FROM json_each(:all)) AND sealed IS NOT NULL
         AND key IN (SELECT n FROM group_key WHERE dirty_ms IS NOT NULL) RETURNING key`,
    )
    .all({ all: JSON.stringify(sound.map(({ n }) => n)) });
  const dropped = new Map<number, number>();
  for (const { key } of rows) dropped.set(key as number, (dropped.get(key as number) ?? 0) + 1);
  for (const [key_n, count] of dropped) countWraps(context, key_n, -count);
}

/** Notes that events have no other wrap that opens, after all: they are to be sealed anew once more. */
export function markNeeded(context: HandlerContext, identity: Identity, event_ids: readonly Id[]): void {
  const statement = context.statement(
    'UPDATE wrap SET replaced = 0 WHERE replaced = 1 AND of = (SELECT n FROM event WHERE identity = :identity AND id = :id)',
  );
  for (const event_id of event_ids) statement.run({ identity, id: Uint8Array.fromHex(event_id) });
}

/** Counts that keys seal more events, or fewer. */
export function countWraps(context: HandlerContext, key_n: number, more: number): void {
  context.statement('UPDATE group_key SET events = events + :more WHERE n = :key_n').run({ key_n, more });
}

/** Removes all wraps of an event, and the memory of them: it has expired, or its row goes. */
export function dropWraps(context: HandlerContext, n: number): void {
  uncount(context, n);
  context.statement('DELETE FROM wrap WHERE of = :n').run({ n });
}

/** Removes all wraps of an event whose content must not be readable any more. Every key they were under is dirty from here on. */
export function forgetWraps(context: HandlerContext, n: number): void {
  uncount(context, n);
  context.statement('UPDATE wrap SET sealed = NULL, replaced = 0 WHERE of = :n').run({ n });
  for (const { key } of context.statement('SELECT key FROM wrap WHERE of = :n').all({ n }))
    makeDirty(context, key as number);
}

function uncount(context: HandlerContext, n: number): void {
  context
    .statement(
      'UPDATE group_key SET events = events - 1 WHERE n IN (SELECT key FROM wrap WHERE of = :n AND sealed IS NOT NULL)',
    )
    .run({ n });
}

/** A wrap of an event that is dead already, under a key that is held: the key is dirty, too. */
export function noteLateWrap(context: HandlerContext, n: number, key_n: number): void {
  context
    .statement('INSERT INTO wrap (of, key, sealed) VALUES (:n, :key_n, NULL) ON CONFLICT DO NOTHING')
    .run({ n, key_n });
  makeDirty(context, key_n);
}

/** Whatever prekeys were published until now may have carried it: they are retired with it. */
export function makeDirty(context: HandlerContext, key_n: number): void {
  const { changes } = context
    .statement(
      `UPDATE group_key SET dirty_ms = :now_ms, exposed_ms = max(coalesce(exposed_ms, 0), :now_ms)
       WHERE n = :key_n AND dirty_ms IS NULL`,
    )
    .run({ key_n, now_ms: context.now_ms });
  if (changes === 0) return;
  // What is under another clean key, too, does not need this one.
  context
    .statement(
      `UPDATE wrap SET replaced = 1 WHERE key = :key_n AND sealed IS NOT NULL AND EXISTS (
         SELECT 1 FROM wrap o JOIN group_key k ON k.n = o.key
         WHERE o.of = wrap.of AND o.key <> :key_n AND o.sealed IS NOT NULL AND k.slot IS NOT NULL AND k.dirty_ms IS NULL)`,
    )
    .run({ key_n });
}

/** Whether somebody has said of a key that it is dirty (an event with effect `dirty`; its projector writes `dirty_key`). */
export function isSaidToBeDirty(context: HandlerContext, identity: Identity, key_id: Id): boolean {
  const row = context
    .statement(
      'SELECT 1 AS found FROM dirty_key d JOIN event e ON e.n = d.event WHERE d.key_id = :key_id AND e.identity = :identity',
    )
    .get({ identity, key_id: Uint8Array.fromHex(key_id) });
  return row !== undefined;
}

/** The content key in a wrap, if it is the one that the event's header commits to. The caller wipes it. */
export function contentKeyOf(
  context: HandlerContext,
  event_id: Id,
  key_commitment: Id | null,
  wrap: Wrap & { readonly key: GroupKeyRow },
): Uint8Array | null {
  return withKey(context, wrap.key, (secret) => openWrap(secret, event_id, key_commitment, wrap));
}

/** The content key of an event by its winning wrap. The caller wipes it. */
export const openWinner = (key: OpenKey, { id, header, sealed }: Winner): Uint8Array | null =>
  committed(unwrapContentKey(key.secret, id, key.id, sealed), commitmentIn(header));

/** The same with the group key at hand. */
export function openWrap(
  group_key: Uint8Array,
  event_id: Id,
  key_commitment: Id | null,
  { key_id, sealed }: Wrap,
): Uint8Array | null {
  return committed(unwrapContentKey(group_key, event_id, key_id, sealed), key_commitment);
}

/** The key, if it is the one that is committed to. */
function committed(opened: Uint8Array | null, key_commitment: Id | null): Uint8Array | null {
  if (opened === null || commitmentTo(opened) === key_commitment) return opened;
  wipe(opened);
  return null;
}

/** The identity's number for a key id, whether the key is held, erased or was never here; null where it is not known. */
export function keyNumberOf(context: HandlerContext, identity: Identity, key_id: Id): number | null {
  const row = context
    .statement('SELECT n FROM group_key WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(key_id) });
  return row === undefined ? null : (row.n as number);
}
