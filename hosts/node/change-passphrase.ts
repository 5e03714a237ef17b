/**
 * `sotto passphrase`: seals the keys of a data directory anew while no node runs on it. After the transaction nothing of what stood in the slots
 * before may be left: not the bare keys, nor what the old passphrase opens. Cut short before that, the next start sees to it, as after every erasure.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SottoError } from '../../core/assert.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { scrubLog } from '../../storage/scrub-log.ts';
import { takeDataDir } from './data-dir.ts';
import { sealedAnew } from './passphrase.ts';

/** While somebody reads the database (an audit, say), the log cannot be overwritten: tried so often, a second apart. */
const TRIES = 10;
const PAUSE_MS = 1_000;

export interface PassphraseChange {
  readonly data_dir: string;
  /** Holds the passphrase that is set, if any. */
  readonly passphrase_file: string | undefined;
  /** Holds the new one; undefined: there is to be none. */
  readonly new_passphrase_file: string | undefined;
}

/** Throws what the passphrase files are refused for, `data_dir_in_use`, `no_database`, and `log_not_scrubbed` (then the change itself is done). */
export async function changePassphrase({
  data_dir,
  passphrase_file,
  new_passphrase_file,
}: PassphraseChange): Promise<void> {
  const path = resolve(data_dir);
  if (!existsSync(path)) throw noDatabase(path);
  const taken = takeDataDir(path);
  try {
    if (!existsSync(taken.database)) throw noDatabase(path);
    const db = openNodeSqlite(taken.database);
    try {
      // What a crash left is not mixed with what this leaves.
      scrubLog(db, taken.database);
      const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
      sealedAnew(db, passphrase_file, new_passphrase_file, random);
      await scrubbed(() => scrubLog(db, taken.database));
    } finally {
      db.close();
    }
  } finally {
    taken.release();
  }
}

async function scrubbed(scrub: () => boolean): Promise<void> {
  for (let tried = 1; !scrub(); tried++) {
    if (tried === TRIES)
      throw new SottoError(
        'log_not_scrubbed',
        'The passphrase is changed, but somebody reads the database, so that what the keys were sealed with before is still in its log. End that, and start the node: it sees to it first of all.',
      );
    await new Promise((go_on) => setTimeout(go_on, PAUSE_MS));
  }
}

const noDatabase = (path: string) =>
  new SottoError('no_database', `Expected the data directory of a node at ${path}, there is none.`);
