/**
 * The key slots: the only place on disk where secrets are. A slot is set and erased in place, on rows that were filled with zeros before,
 * so that no copy of a secret is left in a freed cell. Secrets are bytes here and nowhere become text.
 */
import { assert } from '../../../core/assert.ts';
import type { HandlerContext } from '../../../core/handler.ts';

/** Rows added at a time when no slot is free: a page or so. */
const SLOTS_ADDED = 64;

/** Stores a secret of 32 bytes; returns the slot's number. */
export function fillSlot(context: HandlerContext, secret: Uint8Array, purpose: string): number {
  assert(secret.length === 32, 'a secret has 32 bytes');
  const slot = freeSlot(context);
  context
    .statement('INSERT INTO key_slot_use (slot, purpose) VALUES (:slot, :purpose)')
    .run({ slot, purpose });
  context.statement('UPDATE key_slot SET secret = :secret WHERE id = :slot').run({ slot, secret });
  return slot;
}

/** The secret in a slot. Callers wipe what they make of it; the slot stays. */
export function readSlot(context: HandlerContext, slot: number): Uint8Array {
  const row = context.statement('SELECT secret FROM key_slot WHERE id = :slot').get({ slot });
  assert(row !== undefined, 'the slot of an identity exists');
  return row.secret as Uint8Array;
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
