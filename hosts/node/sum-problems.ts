/**
 * Whether the sums that peers compare are those of the records: each node against what lies below it, the lowest against the ids themselves. A sum that
 * is wrong would make two peers that agree look different for ever, or worse, alike though they differ.
 */
import type { Db } from '../../core/db.ts';
import { addTo, LEVELS, noSum } from '../../protocols/quiet/reconcile/sum.ts';

interface Part {
  readonly lower: Uint8Array;
  readonly count: number;
  readonly sum: Uint8Array;
}

export function* sumProblems(db: Db): Generator<string> {
  const sets = db
    .prepare(
      `SELECT identity, set_n FROM sum_node UNION SELECT identity, coalesce(group_n, 0) FROM event WHERE body IS NOT NULL ORDER BY 1, 2`,
    )
    .all() as { identity: number; set_n: number }[];
  const nodes = db.prepare(
    'SELECT lower, count, sum FROM sum_node WHERE identity = :identity AND set_n = :set_n AND level = :level ORDER BY lower',
  );
  const ids = db.prepare(
    `SELECT id AS lower, 1 AS count, id AS sum FROM event
     WHERE identity = :identity AND group_n IS nullif(:set_n, 0) AND body IS NOT NULL ORDER BY id`,
  );
  for (const set of sets) {
    let below = ids.all(set) as unknown as Part[];
    for (let level = 1; level <= LEVELS; level++) {
      const parts = nodes.all({ ...set, level }) as unknown as Part[];
      if (!areSumsOf(parts, below)) {
        yield `the sums of what peers compare are wrong (level ${level})`;
        break;
      }
      below = parts;
    }
  }
}

function areSumsOf(parts: readonly Part[], below: readonly Part[]): boolean {
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1]?.lower;
    const sum = noSum();
    let count = 0;
    for (; at < below.length && (next === undefined || Buffer.compare(below[at]!.lower, next) < 0); at++) {
      addTo(sum, below[at]!.sum);
      count += below[at]!.count;
    }
    if (count !== part.count || Buffer.compare(sum, part.sum) !== 0) return false;
  }
  return at === below.length;
}
