/**
 * The passphrase over the key slots. Its key is made once, at the start, and stays in memory; each slot is sealed under a nonce of its own.
 * Setting, changing and taking away a passphrase seals all slots there are anew, in place, in one transaction.
 */
import { assert, SottoError } from '../../../core/assert.ts';
import type { Random } from '../../../core/clock.ts';
import type { Db, SqlRow } from '../../../core/db.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { deriveKey, interactive_cost } from '../../../crypto/password.ts';
import { seal, seal_bytes, seal_nonce_bytes, unseal } from '../../../crypto/seal.ts';

const SALT_BYTES = 16;
const NOTHING = new Uint8Array(0);
/** Of what each key is checked by, and seals nothing else with. */
const PROBE_NONCE = new Uint8Array(seal_nonce_bytes);
const LABEL = new TextEncoder().encode('sotto key slot v1\0');

export interface SlotLock {
  seal(secret: Uint8Array, random: Random): { stored: Uint8Array; nonce: Uint8Array; tag: Uint8Array };
  /** Throws `SottoError('slot_damaged')` where the slot was changed. */
  open(stored: Uint8Array, nonce: Uint8Array, tag: Uint8Array): Uint8Array;
}

const LOCKS = new WeakMap<Db, SlotLock>();

export const lockOf = (db: Db): SlotLock | null => LOCKS.get(db) ?? null;

/**
 * Unlocks the slots of a database for as long as it is open, before anything else uses it. `passphrase` null: there must be none.
 * A passphrase for slots that have none yet seals them. Throws `SottoError('passphrase_needed')` and `('wrong_passphrase')`.
 */
export function unlockSlots(db: Db, passphrase: Uint8Array | null, random: Random): void {
  const row = db
    .prepare('SELECT salt, operations, memory_bytes, probe FROM key_slot_lock WHERE id = 1')
    .get();
  if (row === undefined && passphrase === null) return;
  if (passphrase === null)
    throw new SottoError(
      'passphrase_needed',
      'A passphrase seals the keys of this data directory. Start with --passphrase-file FILE (or $SOTTO_PASSPHRASE_FILE).',
    );
  if (row === undefined) {
    sealSlots(db, passphrase, random);
    return;
  }
  const cost = { operations: row.operations as number, memory_bytes: row.memory_bytes as number };
  const key = deriveKey(passphrase, row.salt as Uint8Array, cost);
  if (unseal(key, PROBE_NONCE, row.probe as Uint8Array, LABEL) === null) {
    wipe(key);
    throw new SottoError(
      'wrong_passphrase',
      'This is not the passphrase that seals the keys of this data directory.',
    );
  }
  LOCKS.set(db, lockUnder(key));
}

/**
 * Seals all slots under another passphrase, or (null) under none any more, in one transaction. They must be unlocked, if anything seals them. What stood
 * in the slots before is in the write-ahead log until the host has seen to it.
 */
export function sealSlots(db: Db, passphrase: Uint8Array | null, random: Random): void {
  const before = lockOf(db);
  const salt = random.bytes(SALT_BYTES);
  const key = passphrase === null ? null : deriveKey(passphrase, salt, interactive_cost);
  const lock = key === null ? null : lockUnder(key);
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec('DELETE FROM key_slot_lock');
    if (key !== null)
      db.prepare(
        'INSERT INTO key_slot_lock (id, salt, operations, memory_bytes, probe) VALUES (1, :salt, :operations, :memory_bytes, :probe)',
      ).run({ salt, ...interactive_cost, probe: seal(key, PROBE_NONCE, NOTHING, LABEL) });
    const slots = db
      .prepare('SELECT s.id, s.secret, u.nonce, u.tag FROM key_slot s JOIN key_slot_use u ON u.slot = s.id')
      .all();
    const set = db.prepare('UPDATE key_slot SET secret = :stored WHERE id = :id');
    const note = db.prepare('UPDATE key_slot_use SET nonce = :nonce, tag = :tag WHERE slot = :id');
    for (const slot of slots) {
      const id = slot.id as number;
      const secret = opened(slot, before);
      const { stored, nonce, tag } = lock?.seal(secret, random) ?? { stored: secret, nonce: null, tag: null };
      set.run({ id, stored });
      note.run({ id, nonce, tag });
      wipe(secret);
    }
    db.exec('COMMIT');
  } catch (thrown) {
    db.exec('ROLLBACK');
    throw thrown;
  }
  if (lock === null) LOCKS.delete(db);
  else LOCKS.set(db, lock);
}

/** What is in a slot, whatever seals it. */
function opened({ secret, nonce, tag }: SqlRow, lock: SlotLock | null): Uint8Array {
  if (nonce === null) return secret as Uint8Array;
  assert(lock !== null, 'sealed slots are unlocked before they are sealed anew');
  return lock.open(secret as Uint8Array, nonce as Uint8Array, tag as Uint8Array);
}

function lockUnder(key: Uint8Array): SlotLock {
  return {
    seal(secret, random) {
      const nonce = random.bytes(seal_nonce_bytes);
      const sealed = seal(key, nonce, secret, LABEL);
      const end = sealed.length - seal_bytes;
      return { stored: sealed.slice(0, end), nonce, tag: sealed.slice(end) };
    },
    open(stored, nonce, tag) {
      const sealed = new Uint8Array(stored.length + tag.length);
      sealed.set(stored);
      sealed.set(tag, stored.length);
      const secret = unseal(key, nonce, sealed, LABEL);
      if (secret === null)
        throw new SottoError(
          'slot_damaged',
          'A key slot does not open: the database was changed from outside.',
        );
      return secret;
    },
  };
}
