/**
 * Keeps the sums of `sums.sql` up to date: at the end of a transaction all that it added or took away goes into the nodes at once, from the runs of
 * ids upwards. A node that has grown too large is cut into several along what lies below it; one that has become empty goes. So a node has few others
 * below it, whatever ids come in whatever order, and the sum of any range is put together from few.
 */
import { assert } from '../../../core/assert.ts';
import type { SqlValue } from '../../../core/db.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { addTo, IDS_MAX, LEVELS, noSum, type Sum } from './sum.ts';

/** Beyond every id. */
const BEHIND_ALL = new Uint8Array(33).fill(0xff);

interface Change {
  /** An id, or the lower end of a node. */
  readonly at: Uint8Array;
  readonly count: number;
  readonly sum: Sum;
}
interface Node extends Change {
  /** Where the node of its level behind it begins. */
  readonly next: () => Uint8Array;
}
type Set = { readonly identity: number; readonly set_n: number };

/** Folds what the transaction has changed into the nodes. */
export function foldSums(context: HandlerContext): void {
  const rows = context
    .statement('SELECT identity, set_n, id, more FROM sum_change ORDER BY identity, set_n, id')
    .all();
  if (rows.length === 0) return;
  context.statement('DELETE FROM sum_change').run();
  let from = 0;
  for (let to = 1; to <= rows.length; to++) {
    const first = rows[from]!;
    const row = rows[to];
    if (row !== undefined && row.identity === first.identity && row.set_n === first.set_n) continue;
    const set = { identity: first.identity as number, set_n: first.set_n as number };
    const changes = rows.slice(from, to).map(({ id, more }) => {
      const sum = noSum();
      addTo(sum, id as Uint8Array, more as 1 | -1);
      return { at: id as Uint8Array, count: more as number, sum };
    });
    fold(context, set, changes);
    from = to;
  }
}

function fold(context: HandlerContext, set: Set, changes: readonly Change[]): void {
  let below = changes;
  const emptied: { readonly level: number; readonly lower: Uint8Array }[] = [];
  for (let level = 1; level <= LEVELS; level++) {
    const nodes: Change[] = [];
    let at = 0;
    while (at < below.length) {
      const node = nodeAt(context, set, level, below[at]!.at);
      const sum = noSum();
      let count = 0;
      do {
        addTo(sum, below[at]!.sum);
        count += below[at]!.count;
        at += 1;
      } while (at < below.length && compare(below[at]!.at, node.next()) < 0);
      nodes.push({ at: node.at, count, sum });
      addTo(node.sum, sum);
      const now = { ...node, count: node.count + count };
      if (now.count > IDS_MAX[level - 1]!) cut(context, set, level, now);
      else write(context, set, level, now);
      if (now.count === 0) emptied.push({ level, lower: node.at });
    }
    below = nodes;
  }
  // From the top: one goes only when none above begins with it.
  for (const { level, lower } of emptied.reverse()) removeEmpty(context, set, level, lower);
}

/** The node of a level that a key lies in. */
function nodeAt(context: HandlerContext, set: Set, level: number, key: Uint8Array): Node {
  const row = context
    .statement(
      `SELECT lower, count, sum FROM sum_node
       WHERE identity = :identity AND set_n = :set_n AND level = :level AND lower <= :key ORDER BY lower DESC LIMIT 1`,
    )
    .get({ ...set, level, key });
  let known: Uint8Array | null = null;
  const next = () => {
    known ??=
      (context
        .statement(
          `SELECT lower FROM sum_node
           WHERE identity = :identity AND set_n = :set_n AND level = :level AND lower > :key ORDER BY lower LIMIT 1`,
        )
        .get({ ...set, level, key })?.lower as Uint8Array | undefined) ?? BEHIND_ALL;
    return known;
  };
  if (row === undefined) return { at: new Uint8Array(0), count: 0, sum: noSum(), next };
  return {
    at: row.lower as Uint8Array,
    count: row.count as number,
    sum: (row.sum as Uint8Array).slice(),
    next,
  };
}

function write(context: HandlerContext, set: Set, level: number, { at, count, sum }: Change): void {
  context
    .statement(
      `INSERT INTO sum_node (identity, set_n, level, lower, count, sum) VALUES (:identity, :set_n, :level, :at, :count, :sum)
       ON CONFLICT DO UPDATE SET count = excluded.count, sum = excluded.sum`,
    )
    .run({ ...set, level, at, count, sum });
}

/** Cuts a node into several of half the size that one may have, along what lies below it. */
function cut(context: HandlerContext, set: Set, level: number, node: Node): void {
  const half = IDS_MAX[level - 1]! / 2;
  let part: Change = { at: node.at, count: 0, sum: noSum() };
  let previous: Uint8Array | null = null;
  let total = 0;
  for (const item of itemsBelow(context, set, level, node)) {
    if (part.count > 0 && part.count + item.count > half) {
      write(context, set, level, part);
      const at: Uint8Array = level === 1 ? shortest(previous!, item.at) : item.at;
      part = { at, count: 0, sum: noSum() };
    }
    addTo(part.sum, item.sum);
    part = { ...part, count: part.count + item.count };
    total += item.count;
    previous = item.at;
  }
  write(context, set, level, part);
  assert(total === node.count, 'a node counts what lies below it');
}

function itemsBelow(context: HandlerContext, set: Set, level: number, node: Node): Change[] {
  const within: Record<string, SqlValue> = { ...set, lower: node.at, next: node.next() };
  if (level > 1)
    return context
      .statement(
        `SELECT lower, count, sum FROM sum_node
         WHERE identity = :identity AND set_n = :set_n AND level = :below AND lower >= :lower AND lower < :next ORDER BY lower`,
      )
      .all({ ...within, below: level - 1 })
      .map((row) => ({
        at: row.lower as Uint8Array,
        count: row.count as number,
        sum: row.sum as Uint8Array,
      }));
  return context
    .statement(
      `SELECT id FROM event INDEXED BY event_by_set
       WHERE identity = :identity AND group_n IS nullif(:set_n, 0) AND id >= :lower AND id < :next AND body IS NOT NULL ORDER BY id`,
    )
    .all(within)
    .map((row) => ({ at: row.id as Uint8Array, count: 1, sum: row.id as Uint8Array }));
}

/** An empty node that no node above begins with is not needed: the one before it takes its range. */
function removeEmpty(context: HandlerContext, set: Set, level: number, lower: Uint8Array): void {
  context
    .statement(
      `DELETE FROM sum_node WHERE identity = :identity AND set_n = :set_n AND level = :level AND lower = :lower AND count = 0 AND lower <> x''
         AND NOT EXISTS (SELECT 1 FROM sum_node a
           WHERE a.identity = :identity AND a.set_n = :set_n AND a.level = :level + 1 AND a.lower = :lower)`,
    )
    .run({ ...set, level, lower });
}

/** The shortest beginning of `second` that lies behind `first`. */
function shortest(first: Uint8Array, second: Uint8Array): Uint8Array {
  let same = 0;
  while (first[same] === second[same]) same++;
  return second.subarray(0, same + 1);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}
