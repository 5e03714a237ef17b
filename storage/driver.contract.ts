/** What every SQLite driver must do alike. Each driver's test calls this with its own open function. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Db } from '../core/db.ts';

/** Everything that must not pass as reading. Each would change something, or could. */
const writing_attempts = {
  DELETE: 'DELETE FROM note',
  INSERT: "INSERT INTO note (text) VALUES ('x')",
  UPDATE: "UPDATE note SET text = 'x'",
  REPLACE: "REPLACE INTO note (id, text) VALUES (1, 'x')",
  'a pragma': 'PRAGMA user_version = 7',
  'a pragma that only asks': 'PRAGMA user_version',
  'a pragma as a table': "SELECT * FROM pragma_table_info('note')",
  'a pragma as a quoted table': "SELECT * FROM 'PRAGMA_table_info'('note')",
  ATTACH: "ATTACH ':memory:' AS other",
  'a writing WITH': 'WITH old AS (SELECT id FROM note) DELETE FROM note WHERE id IN old',
  'a writing WITH RETURNING': 'WITH old AS (SELECT 1) DELETE FROM note RETURNING id',
  'INSERT RETURNING': "INSERT INTO note (text) VALUES ('x') RETURNING id",
  'a temporary table': 'CREATE TEMP TABLE scratch (id INTEGER)',
  'a second statement': 'SELECT 1; DELETE FROM note',
  'a second statement behind a comment': 'SELECT 1 /* ; */; -- ;\nDELETE FROM note',
  'a second statement behind a string': "SELECT ';''' ; DELETE FROM note",
  'a second statement behind quoted names': 'SELECT 1 AS "a;""" , 2 AS [;], 3 AS `;``` ; DELETE FROM note',
  'a first word in a comment': '-- SELECT\nDELETE FROM note',
  'a NUL': 'SELECT 1 \0 DELETE FROM note',
  VACUUM: 'VACUUM',
  'loading an extension': "SELECT load_extension('/tmp/evil')",
  'loading an extension, quoted': 'SELECT "Load_Extension"(\'/tmp/evil\')',
  DROP: 'DROP TABLE note',
  REINDEX: 'REINDEX',
  BEGIN: 'BEGIN IMMEDIATE',
  EXPLAIN: 'EXPLAIN DELETE FROM note',
  nothing: ' -- only a comment',
};

export function describeDriver(open: (path: string) => Db, module_url: string): void {
  let folder: string;
  let path: string;
  let db: Db;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-storage-'));
    path = join(folder, 'test.db');
    db = open(path);
    db.exec(
      "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note (text) VALUES ('first')",
    );
  });
  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  const notes = () =>
    db
      .prepare('SELECT text FROM note ORDER BY id')
      .all()
      .map((row) => row.text);
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0];
  const refusal = (code: string) => expect.objectContaining({ code });

  describe('values', () => {
    const blob = new Uint8Array([0, 1, 255]);
    test.each([
      ['null', null, 'null'],
      ['text', 'naïve 🫥', 'text'],
      ['empty text', '', 'text'],
      ['zero', 0, 'integer'],
      ['the largest integer', 2 ** 53 - 1, 'integer'],
      ['the smallest integer', -(2 ** 53) + 1, 'integer'],
      ['a fraction', 0.1, 'real'],
      ['a blob', blob, 'blob'],
      ['an empty blob', new Uint8Array(0), 'blob'],
      ['a view into a larger buffer', new Uint8Array([9, 8, 7, 6]).subarray(1, 3), 'blob'],
    ])('%s comes back as it went', (_name, value, type) => {
      db.exec('CREATE TABLE kept (value)');
      db.prepare('INSERT INTO kept VALUES (:value)').run({ value });
      const row = db.prepare('SELECT value, typeof(value) AS type FROM kept').get()!;
      expect(row.type).toBe(type);
      if (value instanceof Uint8Array) {
        expect(row.value).toBeInstanceOf(Uint8Array);
        expect([...(row.value as Uint8Array)]).toEqual([...value]);
      } else expect(row.value).toBe(value);
    });

    test('a whole number divides as an integer', () => {
      expect(db.prepare('SELECT :ms / 1000 AS s').get({ ms: 5999 })!.s).toBe(5);
    });

    test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, true, 5n, [1], new ArrayBuffer(1)])(
      '%s is refused',
      (value) => {
        const statement = db.prepare('SELECT :value AS value');
        expect(() => statement.get({ value: value as never })).toThrow(refusal('bad_sql_value'));
      },
    );

    test('unknown parameters are ignored, missing ones refused', () => {
      const statement = db.prepare('SELECT :a AS a');
      expect(statement.get({ a: 1, b: 2 })!.a).toBe(1);
      expect(() => statement.get({ b: 2 })).toThrow(refusal('bad_sql_value'));
      expect(db.prepare('SELECT 1 AS a').all({ b: 2 })).toHaveLength(1);
    });

    test('a colon in a string or comment is no parameter', () => {
      expect(db.prepare("SELECT ':x' AS text /* :y */ -- :z").get()!.text).toBe(':x');
    });
  });

  describe('statements', () => {
    test('run tells the changes and the last row id', () => {
      const insert = db.prepare('INSERT INTO note (text) VALUES (:text)');
      expect(insert.run({ text: 'second' })).toEqual({ changes: 1, last_insert_rowid: 2 });
      expect(insert.run({ text: 'third' })).toEqual({ changes: 1, last_insert_rowid: 3 });
      expect(db.prepare("UPDATE note SET text = 'x'").run().changes).toBe(3);
      expect(db.prepare('BEGIN').run().changes).toBe(0);
      expect(db.prepare('ROLLBACK').run().changes).toBe(0);
      expect(db.prepare('SELECT 1').run().changes).toBe(0);
      expect(db.prepare('DELETE FROM note WHERE id > 1 RETURNING id').run().changes).toBe(2);
    });

    test('get and all give rows, or none', () => {
      expect(db.prepare('SELECT * FROM note').get()).toEqual({ id: 1, text: 'first' });
      expect(db.prepare('SELECT * FROM note WHERE id = :id').get({ id: 9 })).toBeUndefined();
      expect(db.prepare('SELECT * FROM note WHERE id = :id').all({ id: 9 })).toEqual([]);
      expect(db.prepare("INSERT INTO note (text) VALUES ('second') RETURNING id").get()).toEqual({ id: 2 });
      expect(db.prepare("INSERT INTO note (text) VALUES ('third')").all()).toEqual([]);
      expect(db.prepare("INSERT INTO note (text) VALUES ('fourth')").get()).toBeUndefined();
      expect(notes()).toEqual(['first', 'second', 'third', 'fourth']);
    });

    test('two statements in one prepare are refused, a trigger is not', () => {
      expect(() => db.prepare('DELETE FROM note; DELETE FROM note')).toThrow(refusal('not_one_statement'));
      db.prepare('CREATE TRIGGER t AFTER INSERT ON note BEGIN SELECT 1; SELECT 2; END').run();
    });

    test('a rollback undoes, a savepoint undoes a part', () => {
      db.exec("BEGIN; INSERT INTO note (text) VALUES ('second'); ROLLBACK");
      expect(notes()).toEqual(['first']);
      db.exec("BEGIN; INSERT INTO note (text) VALUES ('kept'); SAVEPOINT part");
      db.exec("INSERT INTO note (text) VALUES ('undone'); ROLLBACK TO part; RELEASE part; COMMIT");
      expect(notes()).toEqual(['first', 'kept']);
    });
  });

  describe('functions', () => {
    test('a scalar gets and gives every kind of value', () => {
      db.scalar('same', { deterministic: true }, (value) => value!);
      for (const value of [null, 'text', 5, 0.5]) {
        expect(db.prepare('SELECT same(:value) AS value').get({ value })!.value).toBe(value);
      }
      const blob = db.prepare('SELECT same(:value) AS value').get({ value: new Uint8Array([1, 2]) })!.value;
      expect([...(blob as Uint8Array)]).toEqual([1, 2]);
      expect(db.prepare("SELECT same(5) || '' AS text").get()!.text).toBe('5');
    });

    test('a deterministic scalar of constants runs once per statement, another for each row', () => {
      db.exec("INSERT INTO note (text) VALUES ('second'), ('third')");
      let calls = 0;
      const count = () => {
        calls += 1;
        return calls;
      };
      db.scalar('once', { deterministic: true }, count);
      db.scalar('each', { deterministic: false }, count);
      db.prepare('SELECT once(1) FROM note').all();
      expect(calls).toBe(1);
      db.prepare('SELECT each(1) FROM note').all();
      expect(calls).toBe(4);
    });

    test('what a scalar throws comes out', () => {
      db.scalar('fail', { deterministic: true }, () => {
        throw new RangeError('the function failed');
      });
      expect(() => db.prepare('SELECT fail()').get()).toThrow('the function failed');
    });

    test('an aggregate starts anew for each group', () => {
      db.aggregate<number[]>('listed', {
        start: () => [],
        step: (seen, value, factor) => [...seen, Number(value) * Number(factor)],
        result: (seen) => seen.join(','),
      });
      const select = db.prepareRead(
        'WITH n(v) AS (VALUES (1), (2), (3)) SELECT v % 2 AS odd, listed(v, :by) AS l FROM n GROUP BY odd',
      );
      expect(select.all({ by: 10 })).toEqual([
        { odd: 0, l: '20' },
        { odd: 1, l: '10,30' },
      ]);
      expect(db.prepare('SELECT listed(id, 1) AS l FROM note WHERE 0').get()).toEqual({ l: '' });
    });
  });

  test('the connection is set as every connection must be', () => {
    expect({
      journal_mode: pragma('journal_mode'),
      synchronous: pragma('synchronous'),
      secure_delete: pragma('secure_delete'),
      temp_store: pragma('temp_store'),
      cell_size_check: pragma('cell_size_check'),
      mmap_size: pragma('mmap_size'),
      wal_autocheckpoint: pragma('wal_autocheckpoint'),
      page_size: pragma('page_size'),
      foreign_keys: pragma('foreign_keys'),
      busy_timeout: pragma('busy_timeout'),
    }).toEqual({
      journal_mode: 'wal',
      synchronous: 2,
      secure_delete: 1,
      temp_store: 2,
      cell_size_check: 1,
      mmap_size: 0,
      wal_autocheckpoint: 4000,
      page_size: 8192,
      foreign_keys: 0,
      busy_timeout: 5000,
    });
  });

  describe('prepareRead', () => {
    test.each(Object.entries(writing_attempts))('refuses %s', (_name, sql) => {
      expect(() => db.prepareRead(sql)).toThrow(refusal('query_not_read_only'));
      expect(notes()).toEqual(['first']);
      expect(pragma('user_version')).toBe(0);
      expect(() => db.exec('BEGIN; ROLLBACK')).not.toThrow(); // no transaction was left open
    });

    test.each([
      'SELECT id, text FROM note',
      '  -- a word first\n/* and another; */ select id, text from note ;  -- and last; ',
      'WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1) SELECT id, text FROM n JOIN note USING (id)',
      "SELECT id, text FROM note WHERE text <> ';DELETE FROM note;' AND \"text\" <> '--'",
    ])('takes %s', (sql) => {
      const statement = db.prepareRead(sql);
      expect(statement.columns).toEqual(['id', 'text']);
      expect(statement.all()).toEqual([{ id: 1, text: 'first' }]);
    });

    test('broken SQL is an error of SQL, not of permission', () => {
      expect(() => db.prepareRead('SELECT FROM WHERE')).toThrow(/syntax error/);
      expect(() => db.prepareRead('SELECT id FROM nowhere')).toThrow(/no such table/);
    });

    test('full-text search counts as reading, right after opening and while query-only', () => {
      db.exec("CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES ('one word')");
      db.close();
      db = open(path);
      db.setQueryOnly(true);
      const search = db.prepareRead('SELECT text FROM words WHERE words MATCH :term ORDER BY rank');
      expect(search.all({ term: 'word' })).toEqual([{ text: 'one word' }]);
    });
  });

  describe('setQueryOnly', () => {
    test('refuses what was prepared before, what is prepared now, and exec, until it is off', () => {
      const insert = db.prepare("INSERT INTO note (text) VALUES ('second')");
      const returning = db.prepare("INSERT INTO note (text) VALUES ('second') RETURNING id");
      db.setQueryOnly(true);
      expect(() => insert.run()).toThrow(refusal('query_only'));
      expect(() => returning.all()).toThrow(refusal('query_only'));
      expect(() => returning.get()).toThrow(refusal('query_only'));
      expect(() => db.prepare('DELETE FROM note').run()).toThrow(refusal('query_only'));
      expect(() => db.prepare('VACUUM').run()).toThrow(refusal('query_only'));
      expect(() => db.exec('DELETE FROM note')).toThrow(refusal('query_only'));
      expect(() => db.exec('SELECT 1; DELETE FROM note')).toThrow();
      expect(() => db.exec('PRAGMA user_version = 7')).toThrow(refusal('query_only'));
      expect(notes()).toEqual(['first']);
      db.setQueryOnly(false);
      expect(pragma('user_version')).toBe(0);
      insert.run();
      expect(notes()).toEqual(['first', 'second']);
    });

    test('lets reading and transactions through', () => {
      db.setQueryOnly(true);
      db.exec('BEGIN');
      expect(notes()).toEqual(['first']);
      db.exec('COMMIT');
    });

    test('holds for a function that tries to write in the middle of a query', () => {
      const erase = db.prepare('DELETE FROM note');
      db.scalar('erase', { deterministic: false }, () => erase.run().changes);
      db.setQueryOnly(true);
      expect(() => db.prepareRead('SELECT erase()').all()).toThrow();
      db.setQueryOnly(false);
      expect(notes()).toEqual(['first']);
    });

    test('holds for a read statement that is compiled anew after the schema changed', () => {
      const read = db.prepareRead('SELECT * FROM note');
      db.exec("ALTER TABLE note ADD COLUMN extra TEXT DEFAULT 'x'");
      db.setQueryOnly(true);
      expect(read.all()).toEqual([{ id: 1, text: 'first', extra: 'x' }]);
    });
  });

  describe('durability', () => {
    test('a reopened file keeps its data', () => {
      db.close();
      db = open(path);
      expect(notes()).toEqual(['first']);
    });

    test('deleted text leaves no bytes in the file', async () => {
      const { readFileSync } = await import('node:fs');
      db.prepare('INSERT INTO note (text) VALUES (:text)').run({ text: 'UNFORGETTABLE'.repeat(50) });
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      expect(readFileSync(path).includes('UNFORGETTABLE')).toBe(true);
      db.exec('DELETE FROM note; PRAGMA wal_checkpoint(TRUNCATE)');
      expect(readFileSync(path).includes('UNFORGETTABLE')).toBe(false);
    });

    test('a process killed while writing leaves whole transactions, and all it told of', async () => {
      const killed_path = join(folder, 'killed.db');
      const script = fileURLToPath(new URL('./fixtures/killed-writer.ts', import.meta.url));
      const child = spawn(process.execPath, [script, module_url, open.name, killed_path]);
      let told = -1;
      for await (const line of createInterface({ input: child.stdout })) {
        told = Number(line);
        if (told >= 500) child.kill('SIGKILL');
      }
      expect(told).toBeGreaterThanOrEqual(500);
      const survivor = open(killed_path);
      const count = Number(survivor.prepare('SELECT count(*) AS count FROM row').get()!.count);
      expect(survivor.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      survivor.close();
      expect(count % 100).toBe(0);
      expect(count).toBeGreaterThanOrEqual(told);
    });
  });
}
