/**
 * Sums of ranges, kept in the database, against sums that are added up anew; and rounds of reconciliation over real stores against the difference
 * of two sets.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Db, SqlParams, Statement } from '../../../core/db.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { type Query, QueryRunner } from '../../../core/query.ts';
import { openedDb, TestNode } from '../../../tests/support.ts';
import { itemsOf } from './items.ts';
import { type ItemSource, openingMessage, reconcile } from './negentropy.ts';
import { IDS_MAX } from './sum.ts';
import { foldSums } from './sums.ts';

const NEVER = 9007199254740991;
const NOW = 1_900_000_000_000;

/** A store of ids, as the pipeline keeps it, without the rest of events. */
class Store {
  readonly db: Db;
  readonly #statements = new Map<string, Statement>();
  readonly #runner: QueryRunner;

  constructor() {
    this.db = openedDb();
    new TestNode({ db: this.db });
    this.#runner = new QueryRunner(this.db);
    this.db.exec('PRAGMA synchronous=OFF');
  }

  close(): void {
    this.db.close();
  }

  #run(sql: string, params: SqlParams = {}) {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.run(params);
  }

  add(
    id: string,
    { set_n = null, expires_ms = NEVER }: { set_n?: number | null; expires_ms?: number } = {},
  ): void {
    this.#run(
      `INSERT INTO event (identity, id, type, author, group_n, seq, created_ms, expires_ms, header, signature, body)
       VALUES (1, :id, 'x', x'', :set_n, 1, 1, :expires_ms, x'', x'', x'00')`,
      { id: Uint8Array.fromHex(id), set_n, expires_ms },
    );
  }
  kill(id: string): void {
    this.#run('UPDATE event SET body = NULL WHERE id = :id', { id: Uint8Array.fromHex(id) });
  }
  remove(id: string): void {
    this.#run('DELETE FROM event WHERE id = :id', { id: Uint8Array.fromHex(id) });
  }
  fold(): void {
    const statement = (sql: string) => {
      const known = this.#statements.get(sql) ?? this.db.prepare(sql);
      this.#statements.set(sql, known);
      return known;
    };
    foldSums({ statement } as HandlerContext);
  }
  all(work: () => void): void {
    this.db.exec('BEGIN');
    work();
    this.fold();
    this.db.exec('COMMIT');
  }
  items(cut_ms = NOW, sets: readonly number[] = [0]): ItemSource {
    const query = ((definition: never, params: Record<string, unknown>) => {
      const asked = definition as { description: string; sql: string };
      if (asked.description.startsWith('The sets of events')) return sets.map((set_n) => ({ set_n }));
      return this.#runner.run(definition, params, 1, NOW);
    }) as unknown as Query;
    return itemsOf(query, cut_ms, NOW, 'ab'.repeat(32));
  }
  nodes(): { level: number; lower: Uint8Array; count: number }[] {
    return this.db.prepare('SELECT level, lower, count FROM sum_node ORDER BY level, lower').all() as never;
  }
}

/** Fingerprint and number as the protocol's specification says them, by big integers. */
function naive(ids: readonly string[], lower: string, upper: string | null) {
  const found = ids.filter((id) => id >= lower && (upper === null || id < upper));
  const sum = found.reduce(
    (total, id) => (total + BigInt(`0x${id.match(/../g)!.reverse().join('')}`)) % 2n ** 256n,
    0n,
  );
  const bytes = Uint8Array.fromHex(sum.toString(16).padStart(64, '0')).reverse();
  const digits = [found.length % 128];
  for (let rest = Math.floor(found.length / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) | 128);
  const hash = createHash('sha256')
    .update(Uint8Array.from([...bytes, ...digits]))
    .digest('hex');
  return { count: found.length, fingerprint: hash.slice(0, 32) };
}

/** Ids by which an author can try to put the tree out of shape: all of one moment, all in one range, all alike but for the end. */
const anyId = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 0xffffffff }))
    .map(
      ([time, tail]) =>
        (1_800_000_000_000 + time).toString(16).padStart(12, '0') +
        tail.toString(16).padStart(8, '0').repeat(6) +
        '0000',
    ),
  fc
    .integer({ min: 0, max: 4_000 })
    .map((tail) => `01a3185c5000${'ff'.repeat(24)}${tail.toString(16).padStart(4, '0')}`),
);
const hexOf = (bytes: Uint8Array) => bytes.toHex();

describe('sums of ranges', () => {
  it('S1: of any range, after any changes in any transactions, are what adding up anew gives', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ more: fc.uniqueArray(anyId, { maxLength: 150 }), die: fc.nat(300), go: fc.nat(100) }),
          { minLength: 1, maxLength: 5 },
        ),
        fc.array(fc.tuple(anyId, anyId, fc.integer({ min: 0, max: 64 })), { minLength: 1, maxLength: 6 }),
        (batches, ranges) => {
          const store = new Store();
          const known = new Set<string>();
          const live = new Set<string>();
          for (const { more, die, go } of batches) {
            store.all(() => {
              for (const id of more) {
                if (known.has(id)) continue;
                store.add(id);
                known.add(id);
                live.add(id);
              }
              for (const id of [...live].slice(0, die)) {
                store.kill(id);
                live.delete(id);
              }
              for (const id of [...live].slice(-go)) {
                store.remove(id);
                known.delete(id);
                live.delete(id);
              }
              // Within the transaction, before anything is folded, too.
              expect(store.items().summary({ lower: '', upper: null })).toEqual(naive([...live], '', null));
              const [a, b] = ranges[0]!;
              const [lower, upper] = a < b ? [a, b] : [b, a];
              expect(store.items().summary({ lower, upper })).toEqual(naive([...live], lower, upper));
            });
            for (const [a, b, length] of ranges) {
              const [lower, upper] = a < b ? [a, b] : [b, a];
              const short = lower.slice(0, length);
              const items = store.items();
              expect(items.summary({ lower: short, upper })).toEqual(naive([...live], short, upper));
              expect(items.summary({ lower, upper: null })).toEqual(naive([...live], lower, null));
              expect(items.ids({ lower, upper }, 10)).toEqual(
                [...live]
                  .filter((id) => id >= lower && id < upper)
                  .sort()
                  .slice(0, 10),
              );
            }
          }
          store.close();
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  }, 60_000);

  it('S17: whatever ids come, no node has more below it than its level may, and each begins where one of the level below does', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyId, { minLength: 1_500, maxLength: 2_500 }),
        fc.nat(3_000),
        fc.integer({ min: 1, max: 700 }),
        (ids, die, batch) => {
          const store = new Store();
          for (let at = 0; at < ids.length; at += batch)
            store.all(() => ids.slice(at, at + batch).forEach((id) => void store.add(id)));
          store.all(() => ids.slice(0, die).forEach((id) => void store.kill(id)));
          const nodes = store.nodes();
          for (const { level, lower, count } of nodes) {
            expect(count).toBeLessThanOrEqual(IDS_MAX[level - 1]!);
            if (level > 1)
              expect(
                nodes.some((node) => node.level === level - 1 && hexOf(node.lower) === hexOf(lower)),
              ).toBe(true);
          }
          for (let level = 1; level <= IDS_MAX.length; level++)
            expect(
              nodes.filter((node) => node.level === level).reduce((sum, { count }) => sum + count, 0),
            ).toBe(Math.max(0, ids.length - die));
          // Cut in halves: never more nodes than four times what full ones would be, plus one.
          expect(nodes.filter((node) => node.level === 1).length).toBeLessThanOrEqual(
            ids.length / (IDS_MAX[0] / 4) + 1,
          );
          store.close();
        },
      ),
      { numRuns: 5, endOnFailure: true },
    );
  }, 60_000);

  it('leave out what had expired at the cut, and take several sets together', () => {
    const store = new Store();
    const id = (n: number) => (1_800_000_000_000 + n).toString(16).padStart(12, '0') + 'cd'.repeat(26);
    store.all(() => {
      for (let n = 0; n < 300; n++)
        store.add(id(n), { set_n: n % 3 === 0 ? null : n % 3, expires_ms: n % 5 === 0 ? NOW - n : NEVER });
    });
    const of = (sets: number[], cut_ms: number) =>
      Array.from({ length: 300 }, (_, n) => n)
        .filter((n) => sets.includes(n % 3) && !(n % 5 === 0 && NOW - n <= cut_ms))
        .map(id);
    for (const sets of [[0], [0, 2], [0, 1, 2]])
      for (const cut_ms of [NOW, NOW - 100, NOW - 1_000]) {
        const items = store.items(cut_ms, sets);
        expect(items.summary({ lower: '', upper: null })).toEqual(naive(of(sets, cut_ms), '', null));
        expect(items.summary({ lower: id(40), upper: id(200) })).toEqual(
          naive(of(sets, cut_ms), id(40), id(200)),
        );
        expect(items.ids({ lower: id(40), upper: id(200) }, 1_000)).toEqual(
          of(sets, cut_ms).filter((each) => each >= id(40) && each < id(200)),
        );
      }
    // Nobody makes us look at all that will ever expire.
    expect(itemsOf((() => []) as unknown as Query, NOW + 10 ** 12, NOW, 'ab'.repeat(32)).cut_ms).toBe(
      NOW + 600_000,
    );
  });
});

/** Rounds between two stores until neither learns anything; gives what each lacked, and the bytes that went to and fro. */
function settle(mine: Store, theirs: Store) {
  const have = new Set<string>();
  const need = new Set<string>();
  let bytes = 0;
  let messages = 0;
  for (let learned = true, round = 0; learned; round++) {
    expect(round).toBeLessThan(400);
    learned = false;
    let message: Uint8Array | null = openingMessage(mine.items());
    for (let turn = 0; message !== null; turn++) {
      expect(turn).toBeLessThan(400);
      bytes += message.length;
      expect(message.length).toBeLessThan(256 * 1024);
      messages += 1;
      const initiator = turn % 2 === 1;
      const found = reconcile((initiator ? mine : theirs).items(), message, initiator);
      message = found.answer;
      // What it has nothing of is fetched page by page.
      const theirs_there = found.few.flatMap((range) => theirs.items().ids(range, 1_000));
      const mine_there = new Set(found.few.flatMap((range) => mine.items().ids(range, 1_000)));
      const fetched = theirs_there.filter((id) => !mine_there.has(id));
      const lacked = [...mine_there].filter((id) => !theirs_there.includes(id));
      const [ours, lacking] = initiator ? [mine, theirs] : [theirs, mine];
      const news = {
        gives: [...found.have, ...lacked].filter((id) => !(initiator ? have : need).has(id)),
        gets: [...found.need, ...fetched].filter((id) => !(initiator ? need : have).has(id)),
      };
      if (news.gives.length + news.gets.length === 0) continue;
      learned = true;
      lacking.all(() => news.gives.forEach((id) => void lacking.add(id)));
      ours.all(() => news.gets.forEach((id) => void ours.add(id)));
      for (const id of news.gives) (initiator ? have : need).add(id);
      for (const id of news.gets) (initiator ? need : have).add(id);
    }
  }
  return { have: [...have].sort(), need: [...need].sort(), bytes, messages };
}

describe('reconciliation over stores', () => {
  const random = (seed: number) => () => {
    seed = (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((seed ^ (seed >>> 13)) >>> 0) / 2 ** 32;
  };
  const setsOf = (count: number, only_mine: number, only_theirs: number, seed: number) => {
    const next = random(seed);
    const id = () => {
      const tail = Array.from({ length: 6 }, () =>
        Math.floor(next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      ).join('');
      return (
        Math.floor(1_800_000_000_000 + next() * 10_000_000)
          .toString(16)
          .padStart(12, '0') +
        tail +
        '0000'
      );
    };
    const make = (n: number) => Array.from({ length: n }, id);
    return { both: make(count), mine: make(only_mine), theirs: make(only_theirs) };
  };
  it.each([
    [0, 0, 0],
    [0, 500, 0],
    [0, 0, 3_000],
    [10, 3, 4],
    [1_000, 1, 0],
    [5_000, 40, 900],
    [20_000, 10, 10],
    [100_000, 25, 75],
    [10_000, 8_000, 8_000],
  ])(
    'L1: %i in common, %i here alone, %i there alone: each side learns just what it lacks',
    (count, only_mine, only_theirs) => {
      const { both, mine, theirs } = setsOf(count, only_mine, only_theirs, count + only_mine + only_theirs);
      const here = new Store();
      const there = new Store();
      here.all(() => [...both, ...mine].forEach((id) => void here.add(id)));
      there.all(() => [...both, ...theirs].forEach((id) => void there.add(id)));
      const { have, need } = settle(here, there);
      expect(have).toEqual(mine.sort());
      expect(need).toEqual(theirs.sort());
      const total = { lower: '', upper: null };
      expect(here.items().summary(total)).toEqual(there.items().summary(total));
      expect(openingMessage(here.items()).length).toBeLessThan(30);
    },
    120_000,
  );

  it('L8: ten new ones among many cost two small messages beyond the opening', () => {
    const { both } = setsOf(20_000, 0, 0, 7);
    const here = new Store();
    const there = new Store();
    for (const store of [here, there]) store.all(() => both.forEach((id) => void store.add(id)));
    const fresh = Array.from(
      { length: 10 },
      (_, n) => (1_800_020_000_000 + n).toString(16).padStart(12, '0') + 'ef'.repeat(26),
    );
    here.all(() => fresh.forEach((id) => void here.add(id)));
    const { have, bytes } = settle(here, there);
    expect(have).toEqual(fresh);
    expect(bytes).toBeLessThan(400);
  });
});
