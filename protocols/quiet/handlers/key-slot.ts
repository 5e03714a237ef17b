/**
 * The key slots: the only place on disk where secrets are. A slot is set and erased in place, on rows that were filled with zeros before,
 * so that no copy of a secret is left in a freed cell. Secrets are bytes here and nowhere become text.
 *
 * A passphrase may seal the slots: then each holds ciphertext of the same length, its nonce and tag stand beside its use.
 */
import { assert } from '../../../core/assert.ts';
import type { Db } from '../../../core/db.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { lockOf } from './slot-lock.ts';

/** Rows added at a time when no slot is free: a page or so. */
const SLOTS_ADDED = 64;

export type SlotPurpose = 'device' | 'prekey' | 'group_key';
/** What of a context reading a slot needs: hosts read device keys without one. */
export type SlotReader = Pick<HandlerContext, 'db' | 'statement'>;

/** Stores a secret of 32 bytes; returns the slot's number. */
export function fillSlot(
  context: HandlerContext,
  identity: number,
  secret: Uint8Array,
  purpose: SlotPurpose,
): number {
  assert(secret.length === 32, 'a secret has 32 bytes');
  const slot = freeSlot(context);
  const { stored, nonce, tag } = lockOf(context.db)?.seal(secret, context.random) ?? {
    stored: secret,
    nonce: null,
    tag: null,
  };
  context
    .statement(
      'INSERT INTO key_slot_use (slot, identity, purpose, nonce, tag) VALUES (:slot, :identity, :purpose, :nonce, :tag)',
    )
    .run({ slot, identity, purpose, nonce, tag });
  context.statement('UPDATE key_slot SET secret = :secret WHERE id = :slot').run({ slot, secret: stored });
  return slot;
}

/** The secret in a slot, in memory of the caller's, who wipes it. */
export function readSlot(context: SlotReader, slot: number): Uint8Array {
  const row = context
    .statement(
      'SELECT s.secret, u.nonce, u.tag FROM key_slot s JOIN key_slot_use u ON u.slot = s.id WHERE s.id = :slot',
    )
    .get({ slot });
  assert(row !== undefined, 'a slot that is in use exists');
  return plainSecret(
    context.db,
    row.secret as Uint8Array,
    row.nonce as Uint8Array | null,
    row.tag as Uint8Array | null,
  );
}

/** What a slot's columns hold, whether a passphrase seals it or not. */
export function plainSecret(
  db: Db,
  stored: Uint8Array,
  nonce: Uint8Array | null,
  tag: Uint8Array | null,
): Uint8Array {
  if (nonce === null || tag === null) return stored;
  const lock = lockOf(db);
  assert(lock !== null, 'sealed slots are unlocked before anything reads them');
  return lock.open(stored, nonce, tag);
}

/** Zeros a slot in place and makes it free. */
export function eraseSlot(context: HandlerContext, slot: number): void {
  context.statement('UPDATE key_slot SET secret = zeroblob(32) WHERE id = :slot').run({ slot });
  context.statement('DELETE FROM key_slot_use WHERE slot = :slot').run({ slot });
}

function freeSlot(context: HandlerContext): number {
  const free = () =>
    context
      .statement(
        'SELECT id FROM key_slot WHERE id NOT IN (SELECT slot FROM key_slot_use) ORDER BY id LIMIT 1',
      )
      .get()?.id as number | undefined;
  const slot = free();
  if (slot !== undefined) return slot;
  for (let added = 0; added < SLOTS_ADDED; added++) {
    context.statement('INSERT INTO key_slot (secret) VALUES (zeroblob(32))').run();
  }
  const fresh = free();
  assert(fresh !== undefined, 'a slot is free after slots were added');
  return fresh;
}
