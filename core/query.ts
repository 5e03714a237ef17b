/**
 * Queries: registered, read-only, named SQL reads. The only way a command, job, reflector, rule or projector learns anything.
 *
 * Two parameters are always bound by the runtime and cannot be passed: `:identity`, so that no query sees another identity's rows
 * (a query that does not name it must be declared `scope: 'node'`), and `:now_ms`, the transaction's time.
 */
import { z } from 'zod';
import { SottoError } from './assert.ts';
import type { Db, ReadStatement, SqlParams, SqlRow, SqlValue } from './db.ts';
import type { Identity } from './envelope.ts';
import { type Infer, type Shape, tagsOf } from './fields.ts';
import { limits } from './limits.ts';

export interface QueryDefinition<P extends Shape = Shape, R extends Shape = Shape> {
  readonly kind: 'query';
  readonly description: string;
  readonly params: P;
  readonly row: R;
  readonly sql: string;
  /** `identity` (default): sees the rows of one identity. `node`: sees all; for the host's own upkeep, never for pure functions of a protocol. */
  readonly scope: 'identity' | 'node';
  /** Opens content: for people who read, refused to pure functions. Derived from the SQL. */
  readonly opens_content: boolean;
  readonly check: z.ZodType<Infer<P>>;
}

/** How pure functions ask. Parameters and rows are typed by the query that is passed. */
export type Query = <P extends Shape, R extends Shape>(
  query: QueryDefinition<P, R>,
  ...params: Record<never, never> extends Infer<P> ? [params?: Infer<P>] : [params: Infer<P>]
) => readonly Infer<R>[];

/** Declares a query. `row` names every column of the result with its kind, in any order. */
export function query<const P extends Shape, const R extends Shape>(definition: {
  description: string;
  params: P;
  row: R;
  sql: string;
  scope?: 'identity' | 'node';
}): QueryDefinition<P, R> {
  const scope = definition.scope ?? 'identity';
  if (scope === 'identity' && !/:identity\b/.test(definition.sql)) {
    throw new SottoError(
      'query_not_scoped',
      `Query '${definition.description}' does not name :identity, so it would see other identities' rows. Add it to its WHERE, or declare scope: 'node'.`,
    );
  }
  return Object.freeze({
    kind: 'query' as const,
    ...definition,
    scope,
    opens_content: /\bcontent\s*\(/i.test(definition.sql),
    check: z.strictObject(definition.params) as unknown as z.ZodType<Infer<P>>,
  });
}

interface Compiled {
  readonly statement: ReadStatement;
  readonly bind: (params: Record<string, unknown>, identity: Identity, now_ms: number) => SqlParams;
  readonly read: (row: SqlRow) => Record<string, unknown>;
}

/** Runs queries on one connection. Compiles each query once, and checks at that time that it can only read. */
export class QueryRunner {
  readonly #db: Db;
  readonly #compiled = new Map<QueryDefinition, Compiled>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Compiles without running: at start, so that a bad query stops the node and not a later run. `name` is for the error. */
  check(definition: QueryDefinition, name: string): void {
    try {
      this.#compile(definition);
    } catch (thrown) {
      if (thrown instanceof SottoError && thrown.code !== 'query_not_read_only') throw thrown;
      const reason = thrown instanceof Error ? thrown.message : 'unknown reason';
      const code = thrown instanceof SottoError ? thrown.code : 'query_does_not_compile';
      throw new SottoError(code, `Query ${name}: ${reason}`, { cause: thrown });
    }
  }

  /**
   * Rows, frozen, at most `limits.query_rows_max`. Throws `SottoError('bad_query_parameters')` naming the field, and `query_rows_too_many`.
   */
  run(
    definition: QueryDefinition,
    params: unknown,
    identity: Identity,
    now_ms: number,
  ): readonly Record<string, unknown>[] {
    const compiled = this.#compile(definition);
    const checked = definition.check.safeParse(params ?? {});
    if (!checked.success) {
      throw new SottoError(
        'bad_query_parameters',
        `Query '${definition.description}': ${describeIssues(checked.error)}`,
      );
    }
    const rows = compiled.statement.all(compiled.bind(checked.data, identity, now_ms));
    if (rows.length > limits.query_rows_max) {
      throw new SottoError(
        'query_rows_too_many',
        `Query '${definition.description}' gave ${rows.length} rows; ${limits.query_rows_max} is the most. Give it a LIMIT and ask in pages.`,
      );
    }
    return rows.map(compiled.read);
  }

  #compile(definition: QueryDefinition): Compiled {
    const known = this.#compiled.get(definition);
    if (known !== undefined) return known;
    const statement = this.#db.prepareRead(definition.sql);
    const expected = Object.keys(definition.row).sort().join(', ');
    const got = [...statement.columns].sort().join(', ');
    if (expected !== got) {
      throw new SottoError(
        'query_columns_differ',
        `Query '${definition.description}' declares the columns ${expected}, its SQL gives ${got}.`,
      );
    }
    const byte_params = Object.entries(definition.params)
      .filter(([, schema]) => tagsOf(schema).bytes)
      .map(([name]) => name);
    const compiled: Compiled = {
      statement,
      bind: (params, identity, now_ms) => {
        const bound: Record<string, SqlValue> = { identity, now_ms };
        for (const name in params) bound[name] = sqlValue(params[name]);
        for (const name of byte_params) {
          const value = params[name];
          if (typeof value === 'string') bound[name] = Uint8Array.fromHex(value);
        }
        return bound;
      },
      read: rowReader(definition.row),
    };
    this.#compiled.set(definition, compiled);
    return compiled;
  }
}

function rowReader(shape: Shape): (row: SqlRow) => Record<string, unknown> {
  const byte_names: string[] = [];
  const boolean_names: string[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const tags = tagsOf(schema);
    if (tags.bytes) byte_names.push(name);
    if (tags.boolean) boolean_names.push(name);
  }
  return (row) => {
    const read: Record<string, unknown> = { ...row };
    for (const name of byte_names) {
      const value = row[name];
      if (value instanceof Uint8Array) read[name] = value.toHex();
    }
    for (const name of boolean_names) read[name] = row[name] === 1;
    return Object.freeze(read);
  };
}

/** A JS value as SQLite takes it. */
export function sqlValue(value: unknown): SqlValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array) return value;
  throw new SottoError(
    'bad_sql_value',
    `Expected text, number, boolean, bytes or null for SQL, got ${typeof value}.`,
  );
}

/** What zod found, as `field: what was expected`, without the values. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => {
      const where = issue.path.length > 0 ? issue.path.join('.') : 'input';
      if (issue.code === 'unrecognized_keys')
        return `${where}: unknown ${issue.keys.map((key) => `'${key}'`).join(', ')}`;
      return `${where}: ${issue.message}`;
    })
    .join('; ');
}
