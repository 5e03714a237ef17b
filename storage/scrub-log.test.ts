/**
 * Erased secrets are looked for in every file of the database, whole and in parts; with each step left out, to see that it is needed; while
 * somebody reads; and after a kill between the steps. Blocks that the file system took back cannot be read from here: instead, the log is looked
 * at as it is right before it is cut off.
 */

import { spawn } from 'node:child_process';
import fs, { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { searchFiles } from '../cli/search-files.ts';
import type { Db } from '../core/db.ts';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { SlotTraffic, secretOf, seededBytes } from './fixtures/slot-traffic.ts';
import { openNodeSqlite } from './node-sqlite.ts';
import { type ScrubStep, scrub_steps, scrubLog } from './scrub-log.ts';

const drivers = [
  ['node-sqlite', openNodeSqlite, new URL('./node-sqlite.ts', import.meta.url).href],
  ['better-sqlite3', openBetterSqlite3, new URL('./better-sqlite3.ts', import.meta.url).href],
] as const;

let folder: string;
let path: string;
let opened: { close(): void }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-scrub-'));
  path = join(folder, 'slots.db');
  opened = [];
});
afterEach(() => {
  for (const db of opened) db.close();
  rmSync(folder, { recursive: true });
});

const log_path = () => `${path}-wal`;
const log_bytes = () => statSync(log_path()).size;
const files = () => [path, log_path(), `${path}-shm`].filter((file) => existsSync(file));
/** Takes the files as they are now. */
function copied(of = files()): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  for (const file of of) copyFileSync(file, join(copy, basename(file)));
  return copy;
}
/** In which files parts of any of the secrets are. */
async function filesWith(secrets: readonly Uint8Array[], where: string | string[] = files()) {
  const { findings, files: searched, unread } = await searchFiles(where, secrets);
  expect(searched).toBeGreaterThan(0);
  expect(unread).toEqual([]);
  return [...new Set(findings.map(({ file }) => basename(file)))].toSorted();
}
const without = (name: ScrubStep['name']) => scrub_steps.filter((step) => step.name !== name);
/** The steps, with something done right before one of them. */
const doingBefore = (name: ScrubStep['name'], act: () => void, steps = scrub_steps): ScrubStep[] =>
  steps.map((step) => ({
    name: step.name,
    run(db, at_path) {
      if (step.name === name) act();
      return step.run(db, at_path);
    },
  }));
const settings = (db: Db) =>
  ['busy_timeout', 'wal_autocheckpoint', 'synchronous', 'secure_delete', 'journal_mode'].map(
    (name) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0],
  );
const settings_opened = [5000, 4000, 2, 1, 'wal'];

describe.each(drivers)('%s', (_name, open, module_url) => {
  let db: Db;
  const opening = () => {
    const another = open(path);
    opened.push(another);
    return another;
  };
  /** Erased secrets whose frames lie far behind in the log's file: most of what counts of it is newer and shorter. */
  const longFileWithAShortLog = () => {
    const traffic = new SlotTraffic(db, 'long');
    traffic.fill(20);
    traffic.write(100);
    traffic.fill(20);
    db.exec('PRAGMA wal_checkpoint(RESTART)');
    traffic.erase(40);
    return traffic;
  };
  beforeEach(() => {
    db = opening();
  });

  test('leaves nothing of erased secrets, in many rounds among other traffic', async () => {
    const traffic = new SlotTraffic(db, 'rounds');
    let found_before = 0;
    for (let round = 0; round < 12; round++) {
      traffic.fill(1 + ((round * 7) % 23));
      traffic.write((round * 13) % 60);
      if (round % 4 === 1) db.exec('PRAGMA wal_checkpoint(PASSIVE)');
      if (round % 5 === 2) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      traffic.fill(3);
      traffic.erase(1 + ((round * 5) % 19));
      if ((await filesWith(traffic.erased)).length > 0) found_before += 1;
      let before_cut = '';
      const steps = doingBefore('truncate', () => {
        before_cut = copied([log_path()]);
      });
      expect(scrubLog(db, path, steps)).toBe(true);
      const after = copied();
      expect(await filesWith(traffic.erased, [after, before_cut])).toEqual([]);
      expect(await filesWith(traffic.erased)).toEqual([]);
      expect(log_bytes()).toBe(0);
      // The search does find what is there.
      if (traffic.held.length > 0) expect(await filesWith(traffic.held)).toEqual(['slots.db']);
    }
    expect(found_before).toBe(12);
    expect(traffic.erased.length).toBeGreaterThan(80);
    expect(settings(db)).toEqual(settings_opened);
    db.close();
    opened = [];
    expect(await filesWith(traffic.erased)).toEqual([]);
  });

  test('adds one row of padding to the database, however often it runs', () => {
    const traffic = new SlotTraffic(db, 'growth');
    const pages: number[] = [];
    for (let round = 0; round < 6; round++) {
      traffic.fill(10);
      traffic.erase(10);
      expect(scrubLog(db, path)).toBe(true);
      pages.push(Number(db.prepare('PRAGMA page_count').get()!.page_count));
    }
    expect(new Set(pages.slice(1)).size).toBe(1);
    expect(db.prepare('SELECT id, length(bytes) AS length FROM log_padding').all()).toEqual([
      { id: 1, length: 256 * 1024 },
    ]);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });

  test('has nothing to do on an empty log, and in memory', () => {
    expect(scrubLog(db, path)).toBe(true);
    expect(scrubLog(db, path)).toBe(true);
    expect(db.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
    const in_memory = open(':memory:');
    opened.push(in_memory);
    expect(scrubLog(in_memory, ':memory:')).toBe(true);
    expect(in_memory.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
  });

  describe('a step left out', () => {
    test('restart: the padding would go behind the secrets; that is seen, and nothing is cut off', async () => {
      const traffic = new SlotTraffic(db, 'restart');
      traffic.fill(10);
      traffic.erase(10);
      expect(scrubLog(db, path, without('restart'))).toBe(false);
      expect(await filesWith(traffic.erased)).toEqual(['slots.db-wal']);
      expect(scrubLog(db, path)).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual([]);
    });

    test('pad: the blocks that are cut off hold secrets, also behind the end of what counts of the log', async () => {
      const traffic = longFileWithAShortLog();
      expect(await filesWith(traffic.erased)).toEqual(['slots.db', 'slots.db-wal']);
      let cut_off = '';
      const seeing = (steps: readonly ScrubStep[]) =>
        doingBefore(
          'truncate',
          () => {
            cut_off = copied([log_path()]);
          },
          steps,
        );
      expect(scrubLog(db, path, seeing(without('pad')))).toBe(true);
      expect(await filesWith(traffic.erased, cut_off)).toEqual(['slots.db-wal']);

      db.exec('DROP TABLE key_slot; DROP TABLE key_slot_use; DROP TABLE note');
      const again = longFileWithAShortLog();
      expect(scrubLog(db, path, seeing(scrub_steps))).toBe(true);
      expect(await filesWith(again.erased, cut_off)).toEqual([]);
    });

    test('truncate: all is overwritten, but the log stays as long as it was', async () => {
      const traffic = longFileWithAShortLog();
      const before = log_bytes();
      expect(scrubLog(db, path, without('truncate'))).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual([]);
      expect(log_bytes()).toBeGreaterThanOrEqual(before);
      expect(scrubLog(db, path)).toBe(true);
      expect(log_bytes()).toBe(0);
    });

    test('truncate and pad: secrets stay in the log', async () => {
      const traffic = longFileWithAShortLog();
      expect(scrubLog(db, path, [scrub_steps[0]!])).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual(['slots.db-wal']);
    });

    test('fsync: the log is not synced after it is cut off', () => {
      const lengths_synced: number[] = [];
      const { fsyncSync } = fs;
      fs.fsyncSync = (file) => {
        expect(fs.fstatSync(file).ino).toBe(statSync(log_path()).ino);
        lengths_synced.push(fs.fstatSync(file).size);
        fsyncSync(file);
      };
      syncBuiltinESMExports();
      try {
        const traffic = new SlotTraffic(db, 'fsync');
        traffic.fill(10);
        traffic.erase(10);
        const before = log_bytes();
        scrubLog(db, path, without('fsync'));
        expect(lengths_synced).toEqual([expect.toSatisfy((length) => length >= before)]);
        traffic.fill(10);
        traffic.erase(10);
        lengths_synced.length = 0;
        scrubLog(db, path);
        expect(lengths_synced).toEqual([expect.any(Number), 0]);
      } finally {
        fs.fsyncSync = fsyncSync;
        syncBuiltinESMExports();
      }
    });
  });

  describe('somebody who reads', () => {
    const pinned = () => {
      const reader = opening();
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM key_slot').get();
      return reader;
    };
    const quickly = (run: () => boolean): boolean => {
      const started_ms = performance.now();
      const result = run();
      expect(performance.now() - started_ms).toBeLessThan(1_000);
      expect(settings(db)).toEqual(settings_opened);
      return result;
    };

    test('keeps it from finishing, as long as they read', async () => {
      const traffic = new SlotTraffic(db, 'reader');
      traffic.fill(10);
      const reader = pinned();
      traffic.erase(10);
      expect(quickly(() => scrubLog(db, path))).toBe(false);
      expect(await filesWith(traffic.erased)).toContain('slots.db-wal');
      expect(quickly(() => scrubLog(db, path))).toBe(false);
      reader.exec('COMMIT');
      expect(quickly(() => scrubLog(db, path))).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual([]);
    });

    test.each(['pad', 'truncate'] as const)('and who comes right before step %s, too', async (name) => {
      const traffic = longFileWithAShortLog();
      let reader: Db | null = null;
      const steps = doingBefore(name, () => {
        reader = pinned();
      });
      expect(quickly(() => scrubLog(db, path, steps))).toBe(false);
      const long = log_bytes();
      for (let again = 0; again < 2; again++) expect(quickly(() => scrubLog(db, path))).toBe(false);
      expect(log_bytes()).toBe(long);
      reader!.exec('COMMIT');
      expect(quickly(() => scrubLog(db, path))).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual([]);
    });

    test.each(['restart', 'pad', 'truncate'] as const)('so does who writes at step %s', async (name) => {
      const traffic = longFileWithAShortLog();
      const writer = opening();
      const steps = doingBefore(name, () => writer.exec('BEGIN IMMEDIATE'));
      expect(quickly(() => scrubLog(db, path, steps))).toBe(false);
      writer.exec('COMMIT');
      expect(quickly(() => scrubLog(db, path))).toBe(true);
      expect(await filesWith(traffic.erased)).toEqual([]);
    });
  });

  test.each(['BEGIN', 'BEGIN IMMEDIATE', 'SAVEPOINT part'])(
    'refuses to run after %s, and leaves that as it is',
    (begin) => {
      const traffic = new SlotTraffic(db, 'refused');
      db.exec(begin);
      db.exec("INSERT INTO note (text) VALUES ('undone')");
      expect(() => scrubLog(db, path)).toThrow(
        expect.objectContaining({
          code: 'assertion_failed',
          message: expect.stringMatching(/outside of any transaction/),
        }),
      );
      db.exec('ROLLBACK');
      expect(db.prepare('SELECT count(*) AS notes FROM note').get()).toEqual({ notes: 0 });
      traffic.fill(1);
      expect(scrubLog(db, path)).toBe(true);
    },
  );

  test('a step that fails comes out, with all settings as they were', () => {
    const traffic = new SlotTraffic(db, 'failing');
    traffic.fill(1);
    const failing: Db = {
      ...db,
      prepare(sql) {
        if (sql.includes('NOOP')) throw new RangeError('the disk is full');
        return db.prepare(sql);
      },
    };
    expect(() => scrubLog(failing, path)).toThrow('the disk is full');
    expect(settings(db)).toEqual(settings_opened);
    expect(scrubLog(db, path)).toBe(true);
  });

  test.each(['restart', 'padding', 'pad', 'truncate', 'fsync'])(
    'killed at %s: the next that opens it finishes',
    async (stop_at) => {
      const killed = join(folder, 'killed');
      mkdirSync(killed);
      path = join(killed, 'slots.db');
      const script = fileURLToPath(new URL('./fixtures/killed-scrubber.ts', import.meta.url));
      const child = spawn(process.execPath, [script, module_url, open.name, path, stop_at, stop_at]);
      let told = '';
      for await (const line of createInterface({ input: child.stdout })) {
        told = line;
        child.kill('SIGKILL');
      }
      expect(told).toBe('stopped');
      const erased = Array.from({ length: 30 }, (_, number) => secretOf(stop_at, number));
      const kept = Array.from({ length: 10 }, (_, number) => secretOf(stop_at, 30 + number));
      const was_early = stop_at === 'restart' || stop_at === 'padding';
      expect(await filesWith(erased)).toEqual(was_early ? ['slots.db-wal'] : []);
      const survivor = opening();
      let before_cut = '';
      const steps = doingBefore('truncate', () => {
        before_cut = copied([log_path()]);
      });
      expect(scrubLog(survivor, path, steps)).toBe(true);
      expect(await filesWith(erased, [copied(), before_cut])).toEqual([]);
      expect(await filesWith(erased)).toEqual([]);
      expect(await filesWith(kept)).toEqual(['slots.db']);
      expect(survivor.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    },
  );
});

test.each(['ON', 'OFF'])(
  'with secure_delete %s, rows that move and go leave this much',
  async (on_or_off) => {
    const raw = new DatabaseSync(path);
    opened.push(raw);
    raw.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ${on_or_off};
    CREATE TABLE key_slot (id INTEGER PRIMARY KEY, secret BLOB NOT NULL CHECK (length(secret) = 32))`);
    const erased = Array.from({ length: 600 }, (_, number) => secretOf('moved', number));
    const insert = raw.prepare('INSERT INTO key_slot (id, secret) VALUES (:id, :secret)');
    // Not in the order of their numbers, and not into rows that were there: pages are split, and what is split off is copied.
    for (const [number, secret] of erased.entries())
      insert.run({ id: seededBytes(`id ${number}`, 4).readUInt32BE(), secret });
    raw.exec('UPDATE key_slot SET secret = zeroblob(32)');
    expect(scrubLog(raw as unknown as Db, path)).toBe(true);
    expect(await filesWith(erased)).toEqual(on_or_off === 'ON' ? [] : ['slots.db']);
  },
);
