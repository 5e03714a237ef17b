/**
 * The rules that all drivers share: which statements may read, which are refused while a connection is query-only, and
 * which values may be bound. A driver adds its database's own judgement; it may refuse more, never less.
 */

import { SottoError } from '../core/assert.ts';
import type { SqlParams, SqlValue } from '../core/db.ts';
import { readSqlText, type SqlText } from './sql-text.ts';

/** Words that can begin a statement which changes no row. Anything else counts as writing (VACUUM tells nobody). */
const harmless_words = new Set(
  'SELECT WITH VALUES EXPLAIN BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE'.split(' '),
);
const transaction_words = new Set('BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE'.split(' '));

/** The error for whatever may not go through `prepareRead`. Quotes the SQL, which holds no user data. */
export function notReadOnly(sql: string, came: string, cause?: unknown): SottoError {
  return new SottoError(
    'query_not_read_only',
    `Expected one SELECT (or WITH ... SELECT) that only reads, but ${came}: ${sql.slice(0, 200)}. Writing goes through events.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Refuses, by its text alone, what no driver may compile for reading. */
export function requireReadingText(sql: string): SqlText {
  const text = readSqlText(sql);
  if (text.statement_count !== 1) throw notReadOnly(sql, `there are ${text.statement_count} statements`);
  if (sql.includes('\0')) throw notReadOnly(sql, 'it holds a NUL, where SQLite stops reading');
  if (text.first_word !== 'SELECT' && text.first_word !== 'WITH') {
    throw notReadOnly(sql, `it begins with ${text.first_word || 'no word'}`);
  }
  for (const name of text.names) {
    if (name === 'load_extension' || name.startsWith('pragma_')) throw notReadOnly(sql, `it uses ${name}`);
  }
  return text;
}

/** Refuses several statements in one `prepare`: some drivers would silently drop all but the first. */
export function requireOneStatement(sql: string): SqlText {
  const text = readSqlText(sql);
  // A trigger's body holds semicolons of its own.
  if (text.statement_count === 1 || text.first_word === 'CREATE') return text;
  throw new SottoError(
    'not_one_statement',
    `Expected one statement, but there are ${text.statement_count}: ${sql.slice(0, 200)}. Use exec for several.`,
  );
}

/**
 * Whether a statement must be refused while query-only.
 * @param database_says_writes the driver's judgement of the compiled statement
 */
export function isWriting(text: SqlText, database_says_writes: boolean): boolean {
  if (transaction_words.has(text.first_word)) return false;
  return database_says_writes || !harmless_words.has(text.first_word);
}

/** The error for a write that came while the connection is query-only. Quotes the SQL, which holds no user data. */
export function queryOnlyRefusal(sql: string): SottoError {
  return new SottoError(
    'query_only',
    `Expected only reading while the connection is query-only, but came: ${sql.slice(0, 200)}`,
  );
}

/**
 * A value as it is handed to SQLite. Whole numbers go as bigint, since both drivers bind a JS number as REAL, which
 * turns `:ms / 1000` into a fraction and `:n || ''` into '5.0'.
 * @throws SottoError `bad_sql_value` for NaN, infinities, integers past 2^53-1, and any other type
 */
export function toSqlite(
  value: SqlValue | undefined,
  name: string,
): string | number | bigint | null | Uint8Array {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value);
    if (Number.isFinite(value) && !Number.isInteger(value)) return value;
  } else if (typeof value === 'string' || value === null || value instanceof Uint8Array) {
    return value;
  }
  const came =
    typeof value === 'number' ? 'a number out of range' : value === undefined ? 'nothing' : typeof value;
  throw new SottoError(
    'bad_sql_value',
    `Expected text, a finite number (integers within 2^53-1), null or a Uint8Array for ${name}, but came ${came}.`,
  );
}

/** The parameters a statement has, ready to bind; others are ignored, and a missing one is refused, never NULL. */
export function bindings(names: readonly string[], params: SqlParams | undefined) {
  const bound: Record<string, string | number | bigint | null | Uint8Array> = {};
  for (const name of names) bound[name] = toSqlite(params?.[name], `:${name}`);
  return bound;
}
