import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openNodeSqlite } from './node-sqlite.ts';
import { readSqlText } from './sql-text.ts';

describe('the text that is compiled', () => {
  it.each([
    ['SELECT 1 LIMIT :n', 'SELECT 1 LIMIT (:n + 0)'],
    ['select 1 limit\n  :n offset :o', 'select 1 limit\n  (:n + 0) offset :o'],
    ['SELECT 1 LIMIT /* most */ $n', 'SELECT 1 LIMIT /* most */ ($n + 0)'],
    ['SELECT :n LIMIT 3', 'SELECT :n LIMIT 3'],
    ["SELECT 'LIMIT :n' -- LIMIT :n", "SELECT 'LIMIT :n' -- LIMIT :n"],
  ])('of %s', (sql, compiled) => {
    expect(readSqlText(sql).compiled).toBe(compiled);
  });
});

describe('a limit that is a parameter', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('does not make SQLite compile the statement anew each time it runs', () => {
    // The authorizer is asked while SQLite compiles, and at no other time.
    let asked = 0;
    const install = DatabaseSync.prototype.setAuthorizer;
    vi.spyOn(DatabaseSync.prototype, 'setAuthorizer').mockImplementation(function (
      this: DatabaseSync,
      judge,
    ) {
      install.call(this, (...args) => {
        asked += 1;
        return judge === null ? 0 : judge(...args);
      });
    });
    const db = openNodeSqlite(':memory:');
    db.exec('CREATE TABLE word (n INTEGER PRIMARY KEY, text TEXT)');
    db.exec("INSERT INTO word (text) VALUES ('one'), ('two'), ('three')");
    const statements = [
      db.prepare('SELECT text FROM word ORDER BY n LIMIT :most'),
      db.prepareRead('SELECT text FROM word ORDER BY n LIMIT :most'),
    ];
    const compiled = asked;
    expect(compiled).toBeGreaterThan(0);
    for (const statement of statements)
      for (const most of [1, 2, 3]) expect(statement.all({ most })).toHaveLength(most);
    expect(asked).toBe(compiled);
    db.close();
  });
});
