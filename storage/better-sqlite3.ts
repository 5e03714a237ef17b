/**
 * The `Db` over better-sqlite3, the second driver that keeps the interface honest. Whether a statement writes is judged
 * by SQLite's read-only flag of the compiled statement, with the shared rules for what that flag does not cover.
 */

import Database, { type RawStatement } from 'better-sqlite3';
import type { Db } from '../core/db.ts';
import * as guard from './guard.ts';
import { opening_pragmas, requireSqliteVersion } from './pragmas.ts';

/** Opens or creates the file at `path`; `:memory:` for one that is gone on close. */
export function openBetterSqlite3(path: string): Db {
  const raw = new Database(path);
  let query_only = false;

  try {
    requireSqliteVersion(String(raw.prepare('SELECT sqlite_version() AS version').get({})?.version));
    for (const pragma of opening_pragmas) raw.exec(`PRAGMA ${pragma}`);
  } catch (error) {
    raw.close();
    throw error;
  }
  const last_run = raw.prepare('SELECT changes() AS changes, last_insert_rowid() AS last_insert_rowid');

  const prepare: Db['prepare'] = (sql) => {
    const text = guard.requireOneStatement(sql);
    const statement = raw.prepare(text.compiled);
    const names = text.parameter_names;
    const writes = guard.isWriting(text, !statement.readonly);
    const permit = () => {
      if (writes && query_only) throw guard.queryOnlyRefusal(sql);
    };
    return {
      run(params) {
        permit();
        const bound = guard.bindings(names, params);
        if (!statement.reader) {
          const { changes, lastInsertRowid } = statement.run(bound);
          return { changes, last_insert_rowid: Number(lastInsertRowid) };
        }
        // This driver runs what gives rows (RETURNING, too) only by fetching them.
        statement.all(bound);
        const { changes, last_insert_rowid } = last_run.get({}) ?? {};
        return { changes: writes ? Number(changes) : 0, last_insert_rowid: Number(last_insert_rowid) };
      },
      get(params) {
        permit();
        if (statement.reader) return statement.get(guard.bindings(names, params));
        statement.run(guard.bindings(names, params));
        return undefined;
      },
      all(params) {
        permit();
        if (statement.reader) return statement.all(guard.bindings(names, params));
        statement.run(guard.bindings(names, params));
        return [];
      },
    };
  };

  return {
    prepare,

    exec(sql) {
      // There is no authorizer here to watch several statements, so a query-only connection takes them one by one.
      if (query_only) prepare(sql).run();
      else raw.exec(sql);
    },

    prepareRead(sql) {
      const text = guard.requireReadingText(sql);
      const names = text.parameter_names;
      const statement: RawStatement = raw.prepare(text.compiled);
      if (!statement.readonly || !statement.reader)
        throw guard.notReadOnly(sql, 'SQLite says that it writes');
      const columns = statement.columns().map((column) => column.name);
      return { columns, all: (params) => statement.all(guard.bindings(names, params)) };
    },

    setQueryOnly(on) {
      query_only = on;
    },

    scalar(name, { deterministic }, fn) {
      raw.function(name, { deterministic, varargs: true }, (...args) =>
        guard.toSqlite(fn(...args), `the result of ${name}()`),
      );
    },

    aggregate(name, { start, step, result }) {
      raw.aggregate(name, {
        varargs: true,
        start,
        step,
        result: (state) => guard.toSqlite(result(state), `the result of ${name}()`),
      });
    },

    close: () => void raw.close(),
  };
}
