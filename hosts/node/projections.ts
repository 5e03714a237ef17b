/** What projectors wrote for one identity, in a form that two databases can be compared in: events by their ids, and not by the numbers of their rows. */
import type { Db } from '../../core/db.ts';
import type { Identity } from '../../core/envelope.ts';

/** Tables of an identity that membership is in, beside those that refer to events. */
const OF_IDENTITY = ['member_device', 'group_device', 'cut', 'right_cut'] as const;
/** Of this device alone: what it noticed and when. */
const LOCAL = new Set(['notification']);

export function projectionDump(db: Db, identity: Identity): ReadonlyMap<string, ReadonlySet<string>> {
  const tables = db
    .prepare(
      `SELECT DISTINCT m.name AS name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
       WHERE m.type = 'table' AND f."table" = 'event' AND f."from" = 'event' ORDER BY m.name`,
    )
    .all()
    .map((row) => row.name as string)
    .filter((name) => !LOCAL.has(name));
  const dump = new Map<string, Set<string>>();
  for (const table of tables) {
    const references = new Set(
      db
        .prepare('SELECT "from" AS name FROM pragma_foreign_key_list(:table) WHERE "table" = \'event\'')
        .all({ table })
        .map((row) => row.name),
    );
    const columns = columnsOf(db, table).map((name) =>
      references.has(name)
        ? `(SELECT hex(id) FROM event WHERE n = t.${name}) AS ${name}`
        : `quote(t.${name}) AS ${name}`,
    );
    const sql = `SELECT ${columns.join(', ')} FROM ${table} t JOIN event e ON e.n = t.event WHERE e.identity = :identity`;
    dump.set(table, rowsOf(db, sql, identity));
  }
  for (const table of OF_IDENTITY) {
    const columns = columnsOf(db, table).map((name) => `quote(t.${name}) AS ${name}`);
    dump.set(
      table,
      rowsOf(db, `SELECT ${columns.join(', ')} FROM ${table} t WHERE t.identity = :identity`, identity),
    );
  }
  return dump;
}

const columnsOf = (db: Db, table: string): string[] =>
  db
    .prepare('SELECT name FROM pragma_table_info(:table)')
    .all({ table })
    .map((row) => row.name as string)
    .filter((name) => name !== 'n');

const rowsOf = (db: Db, sql: string, identity: Identity): Set<string> =>
  new Set(
    db
      .prepare(sql)
      .all({ identity })
      .map((row) => JSON.stringify(row)),
  );
