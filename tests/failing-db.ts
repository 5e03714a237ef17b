/** A database in which any statement can be the last: a process that dies there, or a disk that is full. */
import type { Db, Statement } from '../core/db.ts';

/** A storage fault as SQLite reports it. */
export class DiskFull extends Error {
  readonly errcode = 13;
}

/** A database that fails after `left` more statements. */
export class FailingDb implements Db {
  left = Number.POSITIVE_INFINITY;
  /** Whether it goes on failing: a process that died; else a disk that was full for a moment. */
  stays_broken = true;
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  #step<T>(run: () => T): T {
    this.left -= 1;
    if (this.left === -1 || (this.left < 0 && this.stays_broken)) throw new DiskFull('the disk is full');
    return run();
  }

  prepare(sql: string): Statement {
    const statement = this.#db.prepare(sql);
    return {
      run: (params) => this.#step(() => statement.run(params)),
      get: (params) => this.#step(() => statement.get(params)),
      all: (params) => this.#step(() => statement.all(params)),
    };
  }

  prepareRead: Db['prepareRead'] = (sql) => this.#db.prepareRead(sql);
  exec: Db['exec'] = (sql) => this.#db.exec(sql);
  setQueryOnly: Db['setQueryOnly'] = (on) => this.#db.setQueryOnly(on);
  scalar: Db['scalar'] = (name, options, fn) => this.#db.scalar(name, options, fn);
  aggregate: Db['aggregate'] = (name, options) => this.#db.aggregate(name, options);
  close: Db['close'] = () => this.#db.close();
}
