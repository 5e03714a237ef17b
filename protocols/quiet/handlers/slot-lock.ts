/**
 * The passphrase over the key slots. Its key is made once, at the start, and stays in memory; each slot is sealed under a nonce of its own.
 * Setting a passphrase seals all slots there are, in place, in one transaction.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Random } from '../../../core/clock.ts';
import type { Db } from '../../../core/db.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { deriveKey, interactive_cost } from '../../../crypto/password.ts';
import { seal, seal_bytes, seal_nonce_bytes, unseal } from '../../../crypto/seal.ts';

const SALT_BYTES = 16;
const NOTHING = new Uint8Array(0);
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
  const salt = row === undefined ? random.bytes(SALT_BYTES) : (row.salt as Uint8Array);
  const cost =
    row === undefined
      ? interactive_cost
      : { operations: row.operations as number, memory_bytes: row.memory_bytes as number };
  const key = deriveKey(passphrase, salt, cost);
  const lock = lockUnder(key);
  const zero_nonce = new Uint8Array(seal_nonce_bytes);
  if (row !== undefined) {
    if (unseal(key, zero_nonce, row.probe as Uint8Array, LABEL) === null) {
      wipe(key);
      throw new SottoError(
        'wrong_passphrase',
        'This is not the passphrase that seals the keys of this data directory.',
      );
    }
    LOCKS.set(db, lock);
    return;
  }
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare(
      'INSERT INTO key_slot_lock (id, salt, operations, memory_bytes, probe) VALUES (1, :salt, :operations, :memory_bytes, :probe)',
    ).run({ salt, ...cost, probe: seal(key, zero_nonce, NOTHING, LABEL) });
    const slots = db
      .prepare(
        'SELECT s.id, s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id WHERE u.nonce IS NULL',
      )
      .all();
    const set = db.prepare('UPDATE key_slot SET secret = :stored WHERE id = :id');
    const note = db.prepare('UPDATE key_slot_use SET nonce = :nonce, tag = :tag WHERE slot = :id');
    for (const { id, secret } of slots) {
      const { stored, nonce, tag } = lock.seal(secret as Uint8Array, random);
      wipe(secret as Uint8Array);
      set.run({ id: id as number, stored });
      note.run({ id: id as number, nonce, tag });
    }
    db.exec('COMMIT');
  } catch (thrown) {
    db.exec('ROLLBACK');
    throw thrown;
  }
  // What stood in the slots before is in the write-ahead log until the host has seen to it.
  LOCKS.set(db, lock);
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
