/**
 * The database as the core sees it: synchronous, one writing connection, no policy. Each file in `storage/` implements
 * this for one SQLite driver, and one contract suite is run by all of them.
 *
 * Blobs are `Uint8Array`, integers are JS numbers within the safe range, absent is `null`.
 */

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;
/** Named parameters, without their `:`. A name the statement does not have is ignored. */
export type SqlParams = Record<string, SqlValue>;

export interface Statement {
  /** Runs it; `changes` is the number of rows inserted, updated or deleted. */
  run(params?: SqlParams): { changes: number; last_insert_rowid: number };
  get(params?: SqlParams): SqlRow | undefined;
  all(params?: SqlParams): SqlRow[];
}

export interface Db {
  /** Runs any SQL, several statements allowed, no parameters. */
  exec(sql: string): void;
  /** Compiles one statement of any kind. Callers keep it: compiling costs more than running. */
  prepare(sql: string): Statement;
  /**
   * Compiles exactly one statement that reads. Throws `SottoError('query_not_read_only')` for whatever could write,
   * attach, set a pragma, or hold a second statement. The judgement is the database's own (authorizer, read-only flag), not ours.
   */
  prepareRead(sql: string): ReadStatement;
  /** While `on`, the connection refuses every write, whoever prepared it. */
  setQueryOnly(on: boolean): void;
  /** Registers a scalar SQL function. `deterministic`: same arguments, same result within one statement. */
  scalar(name: string, options: { deterministic: boolean }, fn: (...args: SqlValue[]) => SqlValue): void;
  /** Registers an aggregate SQL function. */
  aggregate<State>(
    name: string,
    options: {
      start: () => State;
      step: (state: State, ...args: SqlValue[]) => State;
      result: (state: State) => SqlValue;
    },
  ): void;
  close(): void;
}

export interface ReadStatement {
  all(params?: SqlParams): SqlRow[];
  /** Names of the result's columns, in order. */
  readonly columns: readonly string[];
}

/** SQLite result codes that mean the storage itself failed, not one statement: busy, out of memory, read-only, I/O, corrupt, full, cannot open. */
const STORAGE_FAULTS: ReadonlySet<number> = new Set([5, 7, 8, 10, 11, 13, 14, 26]);
const STORAGE_FAULT_NAMES = /^SQLITE_(BUSY|NOMEM|READONLY|IOERR|CORRUPT|FULL|CANTOPEN|NOTADB)/;

/** Whether a driver's exception says that the storage failed: then the whole transaction goes, never one envelope alone. */
export function isStorageFault(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { errcode, code } = thrown as { errcode?: unknown; code?: unknown };
  if (typeof errcode === 'number') return STORAGE_FAULTS.has(errcode & 0xff);
  return typeof code === 'string' && STORAGE_FAULT_NAMES.test(code);
}
