import { describe, expect, it } from 'vitest';
import { openBetterSqlite3 } from '../storage/better-sqlite3.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { foundNetwork, openedDb, overlaid, TestNode } from '../tests/support.ts';
import { id, integer, text } from './fields.ts';
import { QueryRunner, query } from './query.ts';

const WRITES: readonly (readonly [string, string])[] = [
  ['DELETE', 'DELETE FROM event WHERE identity = :identity'],
  ['UPDATE', 'UPDATE event SET seq = 0 WHERE identity = :identity'],
  ['INSERT', "INSERT INTO refused (identity, id, rule) VALUES (:identity, x'00', 'r')"],
  ['PRAGMA', 'PRAGMA user_version = :identity'],
  ['ATTACH', "ATTACH 'other.db' AS other -- :identity"],
  [
    'a writing CTE',
    'WITH old AS (SELECT n FROM event WHERE identity = :identity) DELETE FROM event WHERE n IN (SELECT n FROM old)',
  ],
  ['RETURNING', 'DELETE FROM event WHERE identity = :identity RETURNING seq AS a'],
  ['a temporary table', 'CREATE TEMP TABLE mine AS SELECT :identity AS a'],
  ['two statements', 'SELECT :identity AS a; DELETE FROM event'],
  ['a second statement behind a comment', 'SELECT :identity AS a /* ; */ ; -- \n DROP TABLE event'],
  ['DROP', 'DROP TABLE event -- :identity'],
  ['VACUUM', "VACUUM INTO 'copy.db' -- :identity"],
  ['a transaction', 'BEGIN -- :identity'],
];

describe.each([
  ['node:sqlite', openNodeSqlite],
  ['better-sqlite3', openBetterSqlite3],
])('queries on %s cannot write', (_driver, open) => {
  it.each(WRITES)('%s is refused by the database, and nothing changes', (_what, sql) => {
    const node = new TestNode({ db: openedDb(undefined, open) });
    foundNetwork(node);
    const before = node.all('SELECT * FROM event');
    const writing = query({ description: 'writing', params: {}, row: { a: integer() }, sql });
    const runner = new QueryRunner(node.db);
    expect(() => runner.run(writing, {}, 1, 1)).toThrow(
      expect.objectContaining({ code: 'query_not_read_only' }),
    );
    expect(() => runner.check(writing, 'get_writing')).toThrow(/get_writing/);
    expect(node.all('SELECT * FROM event')).toEqual(before);
  });
});

describe('queries', () => {
  it('S18: one that does not name its identity is refused, unless it is declared to be of the node', () => {
    const sql = 'SELECT count(*) AS events FROM event';
    const declare = (scope?: 'node') =>
      query({ description: 'all', params: {}, row: { events: integer() }, sql, ...(scope ? { scope } : {}) });
    expect(() => declare()).toThrow(expect.objectContaining({ code: 'query_not_scoped' }));
    expect(() => declare('node')).not.toThrow();
  });

  it('S18: sees the rows of its identity only', () => {
    const node = new TestNode();
    foundNetwork(node);
    node.engine.command('create_network', 0, { name: 'Work', user_name: 'alice at work' });
    node.engine.command('create_channel', 2, { name: 'plans' });
    expect(node.query('get_channels', {}, 1)).toHaveLength(1);
    expect(node.query('get_channels', {}, 2)).toHaveLength(2);
    const members = node.query<{ user_id: string; name: string }>('get_members', { group_id: null }, 1);
    expect(members.map((member) => member.name)).toEqual(['alice']);
    expect(node.query('get_user', { user_id: members[0]?.user_id }, 2)).toEqual([]);
  });

  it.each([
    ['a query', 'SELECT :identity AS a FROM key_slot', ''],
    ['a query in other letters', 'SELECT :identity AS a, "Key_Slot_Use".slot AS b FROM "Key_Slot_Use"', ''],
    [
      "an app's view",
      'SELECT :identity AS a',
      'CREATE VIEW IF NOT EXISTS mine AS SELECT s.secret FROM main.key_slot s;',
    ],
  ])('S18: %s that names where the secrets are stops the start', (_what, sql, schema) => {
    const protocol = overlaid({
      modules: {
        'events/spy/queries.ts': {
          getSpied: query({ description: '', params: {}, row: { a: integer() }, sql }),
        },
      },
      sql: { 'events/spy/spy.sql': schema },
    });
    expect(() => new TestNode({ protocol })).toThrow(expect.objectContaining({ code: 'names_secrets' }));
  });

  it('checks its parameters and says which is wrong, without quoting it', () => {
    const node = new TestNode();
    foundNetwork(node);
    const ask = () => node.query('get_message_by_id', { message_id: 'my secret' });
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'bad_query_parameters',
        message: expect.stringContaining('message_id'),
      }),
    );
    expect(ask).toThrow(expect.objectContaining({ message: expect.not.stringContaining('my secret') }));
    expect(() => node.query('get_message_by_id', { message_id: '00'.repeat(32), more: 1 })).toThrow(
      /unknown 'more'/,
    );
  });

  it('a row shape that differs from the SQL is an error', () => {
    const node = new TestNode();
    const wrong = query({
      description: 'wrong',
      params: {},
      row: { a: integer(), b: text(4) },
      sql: 'SELECT :identity AS a',
    });
    expect(() => new QueryRunner(node.db).run(wrong, {}, 1, 1)).toThrow(
      expect.objectContaining({ code: 'query_columns_differ' }),
    );
  });

  it('gives ids in hex, and frozen rows', () => {
    const node = new TestNode();
    const { channel_id } = foundNetwork(node);
    const row = query({
      description: 'ids',
      params: { channel_id: id() },
      row: { found: id() },
      sql: 'SELECT id AS found FROM event WHERE identity = :identity AND id = :channel_id',
    });
    const rows = new QueryRunner(node.db).run(row, { channel_id }, 1, 1);
    expect(rows).toEqual([{ found: channel_id }]);
    expect(Object.isFrozen(rows[0])).toBe(true);
  });
});
