/**
 * The `Db` over node:sqlite, the driver that ships with Node. No policy lives here beyond core/db.ts; whether a
 * statement writes is judged by SQLite's authorizer while it compiles.
 */

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Db, SqlRow } from '../core/db.ts';
import * as guard from './guard.ts';
import { installAuthorizer } from './node-authorizer.ts';
import { opening_pragmas, reading_pragmas, requireSqliteVersion } from './pragmas.ts';

/** Opens or creates the file at `path`; `:memory:` for one that is gone on close. */
export function openNodeSqlite(path: string): Db {
  return opened(new DatabaseSync(path, { enableForeignKeyConstraints: false }), opening_pragmas);
}

/** Opens the file at `path` beside whoever writes it, changing nothing. */
export function openNodeSqliteToRead(path: string): Db {
  return opened(
    new DatabaseSync(path, { readOnly: true, enableForeignKeyConstraints: false }),
    reading_pragmas,
  );
}

function opened(raw: DatabaseSync, pragmas: readonly string[]): Db {
  let query_only = false;
  try {
    requireSqliteVersion(String(raw.prepare('SELECT sqlite_version() AS version').get()?.version));
    for (const pragma of pragmas) raw.exec(`PRAGMA ${pragma}`);
  } catch (error) {
    raw.close();
    throw error;
  }
  const authorizer = installAuthorizer(raw);

  return {
    exec(sql) {
      try {
        authorizer.watch(query_only ? 'no_writing' : 'free', () => raw.exec(sql));
      } catch (error) {
        throw query_only && authorizer.sawWriting() ? guard.queryOnlyRefusal(sql) : error;
      }
    },

    prepare(sql) {
      const text = guard.requireOneStatement(sql);
      const names = text.parameter_names;
      const statement = authorizer.watch('free', () => raw.prepare(text.compiled));
      const writes = guard.isWriting(text, authorizer.sawWriting());
      const changes_rows = writes && /^(INSERT|UPDATE|DELETE|REPLACE|WITH)$/.test(text.first_word);
      const permit = () => {
        if (writes && query_only) throw guard.queryOnlyRefusal(sql);
      };
      return {
        run(params) {
          permit();
          const { changes, lastInsertRowid } = statement.run(guard.bindings(names, params));
          // Only row statements set it; after others SQLite still tells the count of the one before.
          return { changes: changes_rows ? Number(changes) : 0, last_insert_rowid: Number(lastInsertRowid) };
        },
        get(params) {
          permit();
          return statement.get(guard.bindings(names, params)) as SqlRow | undefined;
        },
        all(params) {
          permit();
          return statement.all(guard.bindings(names, params)) as SqlRow[];
        },
      };
    },

    prepareRead(sql) {
      const text = guard.requireReadingText(sql);
      const names = text.parameter_names;
      let statement: StatementSync;
      try {
        statement = authorizer.watch('reading', () => raw.prepare(text.compiled));
      } catch (error) {
        throw authorizer.sawWriting() ? guard.notReadOnly(sql, 'SQLite saw it do more', error) : error;
      }
      return {
        columns: statement.columns().map((column) => column.name),
        all: (params) => statement.all(guard.bindings(names, params)) as SqlRow[],
      };
    },

    setQueryOnly(on) {
      query_only = on;
    },

    scalar(name, { deterministic }, fn) {
      raw.function(name, { deterministic, varargs: true }, (...args) =>
        guard.toSqlite(fn(...(args as Parameters<typeof fn>)), `the result of ${name}()`),
      );
    },

    aggregate(name, { start, step, result }) {
      raw.aggregate<never>(name, {
        varargs: true,
        start: start as () => never,
        step: step as never,
        result: (state) => guard.toSqlite(result(state), `the result of ${name}()`) as never,
      });
    },

    close: () => raw.close(),
  };
}
