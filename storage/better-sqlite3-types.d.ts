/** The part of better-sqlite3 that this project uses. The package carries no types of its own. */
declare module 'better-sqlite3' {
  type Bindable = string | number | bigint | null | Uint8Array;
  type Result = string | number | null | Uint8Array;

  export interface RawStatement {
    /** True when the statement gives rows. */
    readonly reader: boolean;
    /** SQLite's own sqlite3_stmt_readonly. */
    readonly readonly: boolean;
    run(params: Record<string, Bindable>): { changes: number; lastInsertRowid: number };
    get(params: Record<string, Bindable>): Record<string, Result> | undefined;
    all(params: Record<string, Bindable>): Record<string, Result>[];
    columns(): { name: string }[];
  }

  export default class Database {
    constructor(path: string);
    exec(sql: string): this;
    prepare(sql: string): RawStatement;
    function(
      name: string,
      options: { deterministic: boolean; varargs: boolean },
      fn: (...args: Result[]) => Bindable,
    ): this;
    aggregate<State>(
      name: string,
      options: {
        varargs: boolean;
        start: () => State;
        step: (state: State, ...args: Result[]) => State;
        result: (state: State) => Bindable;
      },
    ): this;
    close(): this;
  }
}
