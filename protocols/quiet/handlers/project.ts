/**
 * Carries out the row writes of a type's projector. `event` and `identity` columns are filled in; an id given for a column that `REFERENCES event`
 * becomes that event's number; hex given for a BLOB column becomes bytes.
 */
import { assert, SottoError } from '../../../core/assert.ts';
import type { Db, SqlParams, SqlValue } from '../../../core/db.ts';
import type { ValidEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { sqlValue } from '../../../core/query.ts';
import type { RowWrite } from '../../../core/sources.ts';
import { rowNumberOf } from './store.ts';

export const project = handler({
  name: 'project',
  takes: 'valid',
  gives: ['valid'],
  accepts: () => true,
  process: (envelope, context) => {
    const projector = context.protocol.projectors.get(envelope.type);
    if (projector === undefined) return advance(envelope);
    const writes = context.pure.project(projector, envelope.event, context.scope(envelope.identity));
    for (const write of writes) apply(write, envelope, context, projector.file);
    if (envelope.raw !== null) return advance(envelope);
    const { identity, type } = envelope;
    return advance(envelope, { after: [{ effect: 'changed', identity, type: type.name, event_id: null }] });
  },
});

/** What of a table's columns matters here. */
interface Table {
  readonly columns: ReadonlyMap<string, { readonly blob: boolean; readonly references_event: boolean }>;
}

const TABLES = new WeakMap<Db, Map<string, Table>>();

function tableOf(name: string, context: HandlerContext, file: string): Table {
  let tables = TABLES.get(context.db);
  if (tables === undefined) {
    tables = new Map();
    TABLES.set(context.db, tables);
  }
  let table = tables.get(name);
  if (table === undefined) {
    const references = context
      .statement('SELECT "from" AS name FROM pragma_foreign_key_list(:name) WHERE "table" = \'event\'')
      .all({ name });
    const names = new Set(references.map((row) => row.name));
    const rows = context.statement('SELECT name, type FROM pragma_table_info(:name)').all({ name });
    if (rows.length === 0)
      throw new SottoError(
        'unknown_table',
        `${file} writes to the table '${name}', which no .sql file creates.`,
      );
    table = {
      columns: new Map(
        rows.map((row) => [
          row.name as string,
          { blob: row.type === 'BLOB', references_event: names.has(row.name as string) },
        ]),
      ),
    };
    tables.set(name, table);
  }
  return table;
}

function apply(write: RowWrite, envelope: ValidEnvelope, context: HandlerContext, file: string): void {
  const table = tableOf(write.table, context, file);
  const params = bind(
    write.write === 'remove' ? write.where : write.row,
    table,
    write.table,
    envelope,
    context,
    file,
  );
  const names = Object.keys(params);
  context.statement(sqlFor(write, names)).run(params);
}

function sqlFor(write: RowWrite, names: readonly string[]): string {
  if (write.write === 'remove') {
    return `DELETE FROM ${write.table} WHERE ${names.map((name) => `${name} IS :${name}`).join(' AND ')}`;
  }
  const insert = `INSERT INTO ${write.table} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`;
  if (write.write === 'insert') return insert;
  if (write.write === 'insert_once') return `${insert} ON CONFLICT DO NOTHING`;
  const key = write.key ?? [];
  const set = names.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`);
  return `${insert} ON CONFLICT (${key.join(', ')}) DO ${set.length > 0 ? `UPDATE SET ${set.join(', ')}` : 'NOTHING'}`;
}

function bind(
  row: Readonly<Record<string, unknown>>,
  table: Table,
  table_name: string,
  envelope: ValidEnvelope,
  context: HandlerContext,
  file: string,
): SqlParams {
  const params: SqlParams = {};
  for (const name of Object.keys(row)) {
    const column = table.columns.get(name);
    if (column === undefined)
      throw new SottoError(
        'unknown_column',
        `${file} writes to '${table_name}.${name}', which does not exist.`,
      );
    const value = row[name];
    if (column.references_event && typeof value === 'string') {
      const n = rowNumberOf(context, envelope.identity, value);
      assert(n !== null, 'an event that a projection refers to is stored');
      params[name] = n;
    } else {
      params[name] =
        column.blob && typeof value === 'string' ? Uint8Array.fromHex(value) : contentFree(value, name, file);
    }
  }
  if (table.columns.has('identity')) params.identity = envelope.identity;
  if (table.columns.has('event') && params.event === undefined && envelope.raw !== null) {
    params.event = rowNumberOf(context, envelope.identity, envelope.event.event_id);
  }
  return params;
}

/** Projections hold ids, relations and times. Content stays in the body: a projector never gets more of it than its length. */
function contentFree(value: unknown, name: string, file: string): SqlValue {
  if (value !== null && typeof value === 'object' && 'content_bytes' in value) {
    throw new SottoError(
      'content_in_projection',
      `${file} writes the content field '${name}' to a table; queries open it with content('${name}', body).`,
    );
  }
  return sqlValue(value);
}
