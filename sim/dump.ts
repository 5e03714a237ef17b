/** S16: what a store holds, in a form that can be compared with itself a moment later. */
import type { Db } from '../core/db.ts';

/** What a node notes of the moment: whom it is connected to, whose clock says what, when jobs run. */
const OF_THE_MOMENT =
  /^(sqlite_|session$|clock_witness$|synced$|dial_hint$|job_|scheduler_clock$|log_padding$)/;

/** Every row of every table that matters, by table. */
export function dumpOf(db: Db): ReadonlyMap<string, string> {
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map((row) => row.name as string)
    .filter((name) => !OF_THE_MOMENT.test(name));
  return new Map(tables.map((table) => [table, rowsOf(db, table)]));
}

function rowsOf(db: Db, table: string): string {
  const rows = db
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => JSON.stringify(row, (_, value) => (value instanceof Uint8Array ? value.toHex() : value)));
  return rows.sort().join('\n');
}

/** The first table in which they differ, and by which rows; null: in none. */
export function differenceOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string | null {
  for (const [table, rows] of after) {
    const were = before.get(table);
    if (were === rows) continue;
    const [old, fresh] = [new Set(were?.split('\n')), new Set(rows.split('\n'))];
    const [gone, come] = [old.difference(fresh).size, fresh.difference(old).size];
    return `${table}: ${gone} rows were other before, ${come} are now`;
  }
  return null;
}
