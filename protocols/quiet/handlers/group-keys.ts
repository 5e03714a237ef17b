/**
 * Which group key seals a new event. One per channel and expiry class, with the smallest expiry that is enough, and known to nobody who has been
 * removed; where there is none, one is made. The expiry lies on a grid of a twelfth of its class, so that all who write within one cell share a
 * key, and the key dies soon after what it seals. Receivers never judge the choice.
 */
import { assert } from '../../../core/assert.ts';
import type { SqlRow } from '../../../core/db.ts';
import {
  type AnyEnvelope,
  type Identity,
  type InstructionDraft,
  type InstructionEnvelope,
  instruct,
} from '../../../core/envelope.ts';
import type { EventType } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { keyExpiry } from '../../../core/key-expiry.ts';
import { limits } from '../../../core/limits.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { keyIdOf } from './content-key.ts';
import { fillSlot, readSlot } from './key-slot.ts';

export interface GroupKeyRow {
  readonly n: number;
  readonly key_id: Id;
  readonly slot: number;
}

export interface HeldKey extends GroupKeyRow {
  readonly group_id: Id;
  readonly channel_id: Id | null;
  readonly expires_ms: number;
  readonly is_dirty: boolean;
  /** Nothing more under it is taken in. */
  readonly is_closed: boolean;
}

const HELD = `
  SELECT n, id, slot, group_id, channel_id, expires_ms, dirty_ms, closed_ms FROM group_key WHERE slot IS NOT NULL AND`;

/** A key that this device holds, by its id. `group_id` guards against a wrap under another group's key. */
export function heldKey(context: HandlerContext, identity: Identity, key_id: Id): HeldKey | null {
  const ask = () => {
    const row = context
      .statement(`${HELD} identity = :identity AND id = :id`)
      .get({ identity, id: Uint8Array.fromHex(key_id) });
    return row === undefined ? null : heldKeyIn(row);
  };
  return context.remembered(`key ${identity} ${key_id}`, ask, { keep: (key) => key !== null });
}

function heldKeyIn(row: SqlRow): HeldKey {
  return {
    n: row.n as number,
    key_id: (row.id as Uint8Array).toHex(),
    slot: row.slot as number,
    group_id: (row.group_id as Uint8Array).toHex(),
    channel_id: row.channel_id instanceof Uint8Array ? row.channel_id.toHex() : null,
    expires_ms: row.expires_ms as number,
    is_dirty: row.dirty_ms !== null,
    is_closed: row.closed_ms !== null,
  };
}

/** Whether a key was here and has been erased. */
export function isErased(context: HandlerContext, identity: Identity, key_id: Id): boolean {
  const row = context
    .statement('SELECT 1 AS found FROM group_key WHERE identity = :identity AND id = :id AND slot IS NULL')
    .get({ identity, id: Uint8Array.fromHex(key_id) });
  return row !== undefined;
}

/** Somebody in the group to whom a key was never given. */
const OWED = `
  SELECT 1 AS owed FROM group_key k JOIN identity i ON i.identity = k.identity JOIN (
      SELECT c.identity, x.network_id AS group_id, c.device FROM current_device c JOIN identity x ON x.identity = c.identity
      UNION ALL SELECT identity, group_id, device FROM current_group_device
    ) t ON t.identity = k.identity AND t.group_id = k.group_id
  WHERE k.n = :n AND k.identity = :identity AND t.group_id = :group_id AND t.device <> i.device
    AND NOT EXISTS (SELECT 1 FROM key_delivery d JOIN event e ON e.n = d.event
      WHERE d.key_id = k.id AND e.identity = k.identity AND t.device IN (d.device, e.author)) LIMIT 1`;

export interface KeyFor {
  readonly group_id: Id;
  readonly channel_id: Id | null;
  readonly expires_ms: number;
}

/** A key is known to whom it was given, and to whoever gave it. */
const CHOICE = `
  SELECT k.n, k.id, k.slot, k.minted FROM group_key k
  WHERE k.identity = :identity AND k.group_id = :group_id AND k.channel_id IS :channel_id
    AND k.slot IS NOT NULL AND k.dirty_ms IS NULL AND k.expires_ms > :now_ms
    AND k.expires_ms >= :expires_ms AND k.expires_ms <= :key_expires_ms AND k.events < :events_max
    AND NOT EXISTS (
      SELECT 1 FROM key_delivery d JOIN event e ON e.n = d.event JOIN cut c ON c.identity = e.identity
      WHERE d.key_id = k.id AND e.identity = k.identity AND c.device IN (d.device, e.author) AND c.group_id IN (x'', k.group_id))
  ORDER BY k.expires_ms, k.id LIMIT 1`;

type Carried = Pick<AnyEnvelope, 'identity' | 'cause' | 'depth'>;

/** The key for a new event; `made` holds what shares it, where it had to be made. */
export function keyFor(
  context: HandlerContext,
  envelope: Carried,
  wanted: KeyFor,
): { readonly key: GroupKeyRow; readonly made: InstructionEnvelope | null } {
  const { identity } = envelope;
  const key_expires_ms = keyExpiry(context.now_ms, wanted.expires_ms);
  const group_id = Uint8Array.fromHex(wanted.group_id);
  const channel_id = wanted.channel_id === null ? null : Uint8Array.fromHex(wanted.channel_id);
  const found = context.statement(CHOICE).get({
    identity,
    group_id,
    channel_id,
    expires_ms: wanted.expires_ms,
    key_expires_ms,
    now_ms: context.now_ms,
    events_max: limits.events_per_key_max,
  });
  if (found !== undefined) {
    const key = {
      n: found.n as number,
      key_id: (found.id as Uint8Array).toHex(),
      slot: found.slot as number,
    };
    // Who gave us the key need not have given it to the others: whoever uses it sees to that.
    const is_owed =
      found.minted === 0 && context.statement(OWED).get({ identity, group_id, n: key.n }) !== undefined;
    return { key, made: is_owed ? sharing(context, envelope, key.key_id) : null };
  }
  const secret = context.random.bytes(32);
  const key = holdKey(context, identity, secret, { ...wanted, expires_ms: key_expires_ms });
  wipe(secret);
  context.statement('UPDATE group_key SET minted = 1 WHERE n = :n').run({ n: key.n });
  return { key, made: sharing(context, envelope, key.key_id) };
}

/** Has reflectors give a key to everybody in its group who has not got it. */
function sharing(context: HandlerContext, envelope: Carried, key_id: Id): InstructionEnvelope | null {
  const draft = mintedDraft(context, key_id);
  const { identity, cause, depth } = envelope;
  return draft === null
    ? null
    : { stage: 'instruction', draft, identity, cause, depth, origin: { from: 'here' } };
}

/** Keeps a group key. The caller wipes `secret`. */
export function holdKey(
  context: HandlerContext,
  identity: Identity,
  secret: Uint8Array,
  { group_id, channel_id, expires_ms }: KeyFor,
): GroupKeyRow {
  assert(expires_ms > context.now_ms, 'a key that is kept has not expired');
  const key_id = keyIdOf(secret, { group_id, channel_id, expires_ms });
  const slot = fillSlot(context, identity, secret, 'group_key');
  const n = context
    .statement(
      `INSERT INTO group_key (identity, id, group_id, channel_id, expires_ms, slot, held_ms)
       VALUES (:identity, :id, :group_id, :channel_id, :expires_ms, :slot, :now_ms)`,
    )
    .run({
      identity,
      id: Uint8Array.fromHex(key_id),
      group_id: Uint8Array.fromHex(group_id),
      channel_id: channel_id === null ? null : Uint8Array.fromHex(channel_id),
      expires_ms,
      slot,
      now_ms: context.now_ms,
    }).last_insert_rowid;
  return { n, key_id, slot };
}

/** Runs `use` with a group key. It is read once for many events of a frame, and wiped with the end of the transaction at the latest. */
export function withKey<T>(context: HandlerContext, key: GroupKeyRow, use: (secret: Uint8Array) => T): T {
  return use(context.remembered(`slot ${key.slot}`, () => readSlot(context, key.slot), { wipe }));
}

/** A key at hand, with its secret. */
export interface OpenKey extends HeldKey {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

/** Runs `use` with group keys as it asks for them by number, each read once, and wipes them all. */
export function withKeys<T>(context: HandlerContext, use: (keyOf: (n: number) => OpenKey) => T): T {
  const opened = new Map<number, OpenKey>();
  try {
    return use((n) => {
      const known = opened.get(n);
      if (known !== undefined) return known;
      const row = context.statement(`${HELD} n = :n`).get({ n });
      assert(row !== undefined, 'a key that wraps can be opened by is held');
      const key = heldKeyIn(row);
      const open = { ...key, id: row.id as Uint8Array, secret: readSlot(context, key.slot) };
      opened.set(n, open);
      return open;
    });
  } finally {
    for (const { secret } of opened.values()) wipe(secret);
  }
}

/** The instruction that tells reflectors of a new key, found by its effect. */
function mintedDraft(context: HandlerContext, key_id: Id): InstructionDraft | null {
  for (const { value } of context.protocol.types.values()) {
    if (value.effect === 'minted') return instruct(value as EventType<string, never>, { key_id } as never);
  }
  return null;
}
