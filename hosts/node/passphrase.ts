/**
 * The passphrase that seals the keys of a data directory: read from a file, used once at the start, and wiped. What is made from it stays in
 * memory for as long as the database is open; the passphrase itself is neither kept nor logged.
 */
import { readFileSync } from 'node:fs';
import { SottoError } from '../../core/assert.ts';
import type { Random } from '../../core/clock.ts';
import type { Db } from '../../core/db.ts';
import { wipe } from '../../crypto/bytes.ts';
import { sealSlots, unlockSlots } from '../../protocols/quiet/handlers/slot-lock.ts';

/** Longer is no passphrase but some other file. */
const BYTES_MAX = 4_096;
const NEWLINE = 10;
const RETURN = 13;

/**
 * Opens a database's schema with `open`, and its key slots with the passphrase in `file`, before anything reads one. Slots that have no
 * passphrase yet get this one. Throws `SottoError`: `bad_passphrase_file`, `bad_passphrase`, `passphrase_needed`, `wrong_passphrase`.
 */
export function unlocked<Opened>(
  db: Db,
  file: string | undefined,
  random: Random,
  open: () => Opened,
): Opened {
  const passphrase = file === undefined ? null : passphraseIn(file);
  const unlock = () => unlockSlots(db, passphrase === null ? null : withoutNewline(passphrase), random);
  try {
    // Opening may take up events that an older version could not read, by keys in sealed slots. A passphrase is set only once there is a schema.
    const is_sealed = isSealed(db);
    if (is_sealed) unlock();
    const opened = open();
    if (!is_sealed) unlock();
    return opened;
  } finally {
    if (passphrase !== null) wipe(passphrase);
  }
}

/**
 * Seals the slots of a database under the passphrase in `new_file` instead of the one in `file`; undefined: under none any more. Throws what `unlocked`
 * does, and `no_passphrase` where there is none to take away.
 */
export function sealedAnew(
  db: Db,
  file: string | undefined,
  new_file: string | undefined,
  random: Random,
): void {
  if (new_file === undefined && !isSealed(db))
    throw new SottoError('no_passphrase', 'No passphrase seals the keys of this data directory.');
  unlockedToRead(db, file, random);
  const passphrase = new_file === undefined ? null : passphraseIn(new_file);
  try {
    sealSlots(db, passphrase === null ? null : withoutNewline(passphrase), random);
  } finally {
    if (passphrase !== null) wipe(passphrase);
  }
}

/** Opens the slots of a database that is only read, with the passphrase that it has. */
export function unlockedToRead(db: Db, file: string | undefined, random: Random): void {
  if (!isSealed(db)) return;
  const passphrase = file === undefined ? null : passphraseIn(file);
  try {
    unlockSlots(db, passphrase === null ? null : withoutNewline(passphrase), random);
  } finally {
    if (passphrase !== null) wipe(passphrase);
  }
}

function isSealed(db: Db): boolean {
  const table = "SELECT 1 AS found FROM sqlite_schema WHERE type = 'table' AND name = 'key_slot_lock'";
  return (
    db.prepare(table).get() !== undefined &&
    db.prepare('SELECT 1 AS found FROM key_slot_lock').get() !== undefined
  );
}

function passphraseIn(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (thrown) {
    throw new SottoError(
      'bad_passphrase_file',
      `Expected a passphrase in ${file}: ${(thrown as NodeJS.ErrnoException).code ?? 'cannot be read'}.`,
    );
  }
  const { length } = withoutNewline(bytes);
  if (length > 0 && length <= BYTES_MAX) return bytes;
  wipe(bytes);
  throw new SottoError(
    'bad_passphrase',
    `Expected a passphrase of 1 to ${BYTES_MAX} bytes in ${file}, got ${length === 0 ? 'nothing' : `${length}`}.`,
  );
}

/** The same memory, without the newline that an editor leaves at the end. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}
