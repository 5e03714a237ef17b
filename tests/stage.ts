/**
 * A world in which many things can be tried one after the other, each from the same beginning: all of a case happens in one large transaction per
 * node, which is rolled back at its end. So nothing is opened, compiled or copied per case; the engines are the real ones over real SQLite, in memory.
 */
import type { Random } from '../core/clock.ts';
import type { Db, Statement } from '../core/db.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { TestNode } from './support.ts';
import { World } from './world.ts';

/** What an engine's transactions are within the large one. */
const WITHIN: Readonly<Record<string, readonly string[]>> = {
  'BEGIN IMMEDIATE': ['SAVEPOINT whole'],
  COMMIT: ['RELEASE whole'],
  ROLLBACK: ['ROLLBACK TO whole', 'RELEASE whole'],
};

/** A database whose transactions are parts of a larger one. */
function withinTransaction(db: Db): Db {
  return {
    ...db,
    exec: (sql) => {
      for (const one of WITHIN[sql] ?? [sql]) db.exec(one);
    },
    prepare: (sql): Statement => {
      const [first, second] = (WITHIN[sql] ?? [sql]).map((one) => db.prepare(one));
      if (first === undefined || second === undefined) return first as Statement;
      return {
        ...first,
        run: () => {
          first.run();
          return second.run();
        },
      };
    },
  };
}

interface Place {
  readonly node: TestNode;
  readonly db: Db;
  random: Random;
}

export class Stage extends World {
  readonly #places = new Map<string, Place>();

  override node(name: string): TestNode {
    const known = this.#places.get(name);
    if (known !== undefined) return known.node;
    // Not one that goes with the first test.
    const db = openNodeSqlite(':memory:');
    const random: Random = { bytes: (length) => place.random.bytes(length) };
    const place: Place = {
      db,
      node: new TestNode({ clock: this.clock, db: withinTransaction(db), random }),
      random: this.randomOf(name, this.seed),
    };
    this.#places.set(name, place);
    this.nodes.set(name, place.node);
    return place.node;
  }

  /** Runs a case, of which nothing stays. All nodes that take part must be there before. */
  rehearse(seed: number, body: () => void): void {
    const { wall, monotonic } = this.clock;
    for (const [name, place] of this.#places) {
      place.random = this.randomOf(name, seed);
      place.db.exec('BEGIN');
    }
    try {
      body();
    } finally {
      for (const { node, db } of this.#places.values()) {
        db.exec('ROLLBACK');
        node.effects.length = 0;
      }
      Object.assign(this.clock, { wall, monotonic });
    }
  }
}
