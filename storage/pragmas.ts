/**
 * What every connection is told on opening, whichever driver opened it. Together they must hold: a commit that returned
 * survives a power cut, deleted content leaves no readable bytes in the file, and nothing spills to temporary files.
 */

import { SottoError } from '../core/assert.ts';

/** In this order: a fresh file takes its page size only before it becomes WAL. */
export const opening_pragmas: readonly string[] = [
  'busy_timeout = 5000', // first: the next lines may meet another process
  'page_size = 8192',
  'journal_mode = WAL',
  'synchronous = FULL', // a reported commit is on the disk
  'secure_delete = ON', // forgotten messages are overwritten, not merely unlinked
  'temp_store = MEMORY', // sorting must not write plaintext beside the database
  'cell_size_check = ON', // a damaged page stops here, before it is believed
  'mmap_size = 0', // an I/O error is an error code, not a crash
  'cache_size = -16000', // 16 MB: walks over whole keys keep their pages
  'wal_autocheckpoint = 4000', // measured: fewer, larger checkpoints
  'foreign_keys = OFF', // projections are written in any order
];

/** Those of a connection that only reads, beside another process that writes. */
export const reading_pragmas: readonly string[] = [
  'busy_timeout = 5000',
  'temp_store = MEMORY',
  'cell_size_check = ON',
  'mmap_size = 0',
];

/** Before it, WAL files could be corrupted by a checkpoint that raced a reset (fixed in 3.51.3). */
const oldest_sqlite = [3, 51, 3] as const;

/**
 * Refuses a library that is too old to be trusted with a WAL file.
 * @param version what `sqlite_version()` says, such as `3.51.3`
 * @throws SottoError `sqlite_too_old`
 */
export function requireSqliteVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [position, wanted] of oldest_sqlite.entries()) {
    const came = parts[position] ?? 0;
    if (came > wanted) return;
    if (came === wanted) continue;
    throw new SottoError(
      'sqlite_too_old',
      `Expected SQLite ${oldest_sqlite.join('.')} or newer, but this driver carries ${version}. Update the driver.`,
    );
  }
}
