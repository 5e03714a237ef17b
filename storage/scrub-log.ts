/**
 * Takes what was erased out of the write-ahead log and out of the disk blocks that the log had. A commit that zeros a key slot only adds a
 * frame: the frames before it still hold the key, a checkpoint leaves them in the file, and cutting the file off hands its blocks back to the
 * file system as they are. So the log is written into the database, overwritten with padding to its end, cut off, and made durable.
 *
 * What no program can reach stays out of it: the spare blocks of a flash disk, snapshots, and file systems that never overwrite in place.
 */

import { closeSync, fsyncSync, openSync, readSync, statSync } from 'node:fs';
import { assert } from '../core/assert.ts';
import type { Db } from '../core/db.ts';

/** Of each of the places where it may wait for a reader or another writer; there are three. */
const BUSY_TIMEOUT_MS = 100;
/** What the padding adds to the database for good, and writes to the log at a time. */
const PADDING_BYTES = 256 * 1024;
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

export interface ScrubStep {
  readonly name: 'restart' | 'pad' | 'truncate' | 'fsync';
  /** False where somebody who reads keeps it from being done. */
  run(db: Db, path: string): boolean;
}

/** In this order, each only after the one before it. A list, so that a test can leave one out. */
export const scrub_steps: readonly ScrubStep[] = [
  { name: 'restart', run: (db) => checkpoint(db, 'RESTART') },
  { name: 'pad', run: (db, path) => whilePadding(db, () => overwriteLog(db, path)) },
  { name: 'truncate', run: (db) => checkpoint(db, 'TRUNCATE') },
  { name: 'fsync', run: (_db, path) => makeDurable(path) },
];

/**
 * Makes sure that nothing of what committed transactions have erased is left in the log. Call it after the commit.
 * @param path the database file, as it was opened
 * @returns false where a reader kept it from finishing: call again later. It waits for none longer than a moment.
 */
export function scrubLog(db: Db, path: string, steps: readonly ScrubStep[] = scrub_steps): boolean {
  assert(!isInTransaction(db), 'the log is scrubbed outside of any transaction: commit first, then call it');
  if (path === ':memory:') return true;
  return withPragmas(db, { busy_timeout: BUSY_TIMEOUT_MS }, () => {
    try {
      return steps.every((step) => step.run(db, path));
    } catch (thrown) {
      if (isBusy(thrown)) return false;
      throw thrown;
    }
  });
}

/** Writes the whole log into the database; `RESTART` lets the next writer begin at its front, `TRUNCATE` cuts it off. */
function checkpoint(db: Db, mode: 'RESTART' | 'TRUNCATE'): boolean {
  return db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()?.busy === 0;
}

/** No checkpoint may start the log over meanwhile, and one sync at the end does for all. */
function whilePadding(db: Db, pad: () => boolean): boolean {
  return withPragmas(db, { wal_autocheckpoint: 0, synchronous: 1 }, pad);
}

/** Writes padding over the log from its front to past its end. The file is longer than what counts of it: it never shrinks by itself. */
function overwriteLog(db: Db, path: string): boolean {
  const { length, header } = readLog(path);
  if (length === 0) return true;
  const frame_bytes = FRAME_HEADER_BYTES + pragma(db, 'page_size');
  db.exec('CREATE TABLE IF NOT EXISTS log_padding (id INTEGER PRIMARY KEY, bytes BLOB)');
  db.prepare('INSERT OR IGNORE INTO log_padding (id, bytes) VALUES (1, zeroblob(:length))').run({
    length: PADDING_BYTES,
  });
  // Never what is there already: SQLite would write nothing. Of the same length, so that it is written in place.
  const write = db.prepare(
    `UPDATE log_padding SET bytes = CASE substr(bytes, 1, 1) WHEN x'00' THEN :ones ELSE zeroblob(length(:ones)) END`,
  );
  const log = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  const ones = new Uint8Array(PADDING_BYTES).fill(0xff);
  for (let written = 0; written < length; ) {
    write.run({ ones });
    const before = written;
    written = LOG_HEADER_BYTES + Number(log.get()?.log) * frame_bytes;
    // Another process made a checkpoint meanwhile, and the log began at its front once more.
    if (written <= before) return false;
  }
  makeDurable(path);
  // Every start at the front gives the log a new header. Without it, all this went behind what was to be overwritten.
  return !readLog(path).header.equals(header);
}

/** The length and the header of the log's file. It may be opened and closed at will: SQLite's locks are on the other two files. */
function readLog(path: string): { length: number; header: Buffer } {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  const length = statSync(logOf(path), { throwIfNoEntry: false })?.size ?? 0;
  if (length === 0) return { length, header };
  const file = openSync(logOf(path), 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return { length, header };
}

/** SQLite syncs what it writes to the log, but not that it cut it off. */
function makeDurable(path: string): boolean {
  if (statSync(logOf(path), { throwIfNoEntry: false }) === undefined) return true;
  const file = openSync(logOf(path), 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return true;
}

const logOf = (path: string) => `${path}-wal`;

/** Runs with other settings, and puts back those that were, whatever happens. */
function withPragmas<Result>(db: Db, wanted: Readonly<Record<string, number>>, run: () => Result): Result {
  const before = Object.keys(wanted).map((name) => [name, pragma(db, name)] as const);
  try {
    for (const [name, value] of Object.entries(wanted)) db.exec(`PRAGMA ${name} = ${value}`);
    return run();
  } finally {
    for (const [name, value] of before) db.exec(`PRAGMA ${name} = ${value}`);
  }
}

function pragma(db: Db, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** Neither driver's interface tells; SQLite refuses a second BEGIN, and one that is ended at once takes no lock. */
function isInTransaction(db: Db): boolean {
  try {
    db.prepare('BEGIN').run();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.includes('within a transaction')) return true;
    throw thrown;
  }
  db.prepare('COMMIT').run();
  return false;
}

/** Whether another connection's lock was in the way, in either driver's words. */
function isBusy(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { errcode, code } = thrown as { errcode?: unknown; code?: unknown };
  return typeof errcode === 'number' ? (errcode & 0xff) === 5 : String(code).startsWith('SQLITE_BUSY');
}
