/**
 * The set of events behind a reconciliation message: what this identity and a peer may both read and what had not expired at a time that both
 * use. It stays in the database; sums and splits come from the nodes of `sums.sql`.
 */
import type { Id } from '../../../core/fields.ts';
import { limits } from '../../../core/limits.ts';
import type { Query } from '../../../core/query.ts';
import { getNewestForSync } from '../events/fetch/queries.ts';
import {
  getEventsForSync,
  getKnownElsewhere,
  getSharedSets,
  getSumNodes,
  getSyncBefore,
  getSyncTail,
  getSyncTotal,
} from '../events/sync/queries.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { ItemSource, Range } from './negentropy.ts';
import { addTo, LEVELS, type Sum } from './sum.ts';

const BEHIND_ALL = 'ff'.repeat(33);
/** Nodes looked at to split one range: those of a level that has several for each part, or else all below one of the next. */
const NODES_MAX = 4_096;
/** Ids looked at where a range has fewer nodes than it gets parts. */
const IDS_LOOKED_AT = 4_096;
const TIME_DIGITS = 12;

interface Summed {
  readonly count: number;
  readonly sum: Sum;
}

/** The events of this identity that a peer may read, too, and that had not expired at `cut_ms`. */
export function itemsOf(
  query: Query,
  asked_cut_ms: number,
  now_ms: number,
  peer_id: Id,
): ItemSource & {
  /** As `ids`, the newest first. */
  readonly newest: (range: Range, limit: number) => readonly Id[];
  readonly cut_ms: number;
} {
  // What has expired by then is looked at one by one: not all that ever will.
  const cut_ms = Math.min(asked_cut_ms, now_ms + limits.clock_skew_ms);
  const shared = query(getSharedSets, { peer_id }).map((row) => row.set_n);
  const sets = JSON.stringify(shared);
  const bounds = ({ lower, upper }: Range) => ({ lower: whole(lower), upper: whole(upper ?? BEHIND_ALL) });
  const ids = (range: Range, limit: number): Id[] => {
    const found = shared.flatMap((set_n) =>
      query(getEventsForSync, { ...bounds(range), set_n, cut_ms, limit }).map((row) => row.event_id),
    );
    return shared.length === 1 ? found : found.sort().slice(0, limit);
  };
  // Ranges that follow each other share their ends.
  const known = new Map<string | null, Summed>();
  const remembered = (point: string | null, ask: () => { readonly count: number; readonly sum: string }) => {
    const found = known.get(point);
    if (found !== undefined) return found;
    const { count, sum } = ask();
    const made = { count, sum: Uint8Array.fromHex(sum) };
    known.set(point, made);
    return made;
  };
  const total = () => remembered(null, () => query(getSyncTotal, { sets, cut_ms })[0]!);
  const before = (point: string) =>
    remembered(point, () => query(getSyncBefore, { sets, before: point, cut_ms })[0]!);
  return {
    cut_ms,
    newest: (range, limit) => {
      const found = shared.flatMap((set_n) =>
        query(getNewestForSync, { ...bounds(range), set_n, cut_ms, limit }).map((row) => row.event_id),
      );
      return shared.length === 1 ? found : found.sort().reverse().slice(0, limit);
    },
    summary: ({ lower, upper }) => {
      const { count, sum } = upper === null ? total() : before(whole(upper));
      if (lower === '') return { count, fingerprint: fingerprintOf(sum, count) };
      const less = before(whole(lower));
      const within = sum.slice();
      addTo(within, less.sum, -1);
      return { count: count - less.count, fingerprint: fingerprintOf(within, count - less.count) };
    },
    ids,
    alsoKnown: (range, limit) =>
      query(getKnownElsewhere, { sets, ...bounds(range), cut_ms, peer_id, limit }).map((row) => row.event_id),
    tail: () => {
      const found = query(getSyncTail, { sets }).map((row) => row.bound);
      const newest = found.pop();
      return newest === undefined ? [] : [...found, afterTimeOf(newest)];
    },
    split: (range, parts) => {
      for (let level = LEVELS - 1; level >= 1; level--) {
        const nodes = query(getSumNodes, { sets, ...bounds(range), level, limit: NODES_MAX });
        if (nodes.length >= 2 * parts)
          return splitsOf(
            nodes.map(({ lower, count }) => ({ bound: lower, count })),
            parts,
          );
      }
      const found = ids(range, IDS_LOOKED_AT);
      const items = found.map((id, at) => ({
        bound: at === 0 ? id : shortest(found[at - 1]!, id),
        count: 1,
      }));
      return splitsOf(items.slice(1), parts);
    },
  };
}

/** Of places with a number of ids behind each, those that split all into parts of about equal size. */
function splitsOf(
  places: readonly { readonly bound: string; readonly count: number }[],
  parts: number,
): string[] {
  const total = places.reduce((sum, { count }) => sum + count, 0);
  const found: string[] = [];
  let before = 0;
  for (const { bound, count } of places) {
    if (before * parts >= total * (found.length + 1) && found.at(-1) !== bound) found.push(bound);
    before += count;
  }
  return found.slice(0, parts - 1);
}

/** The shortest beginning of `second` that lies behind `first`, in whole bytes. */
function shortest(first: Id, second: Id): string {
  let same = 0;
  while (same < first.length && first[same] === second[same]) same++;
  return second.slice(0, same - (same % 2) + 2);
}

/** The first bound behind all ids of one time. */
function afterTimeOf(id: string): string {
  return (Number.parseInt(id.slice(0, TIME_DIGITS), 16) + 1).toString(16).padStart(TIME_DIGITS, '0');
}

/** Bounds come in hex digits of any number; bytes are whole. */
function whole(bound: string): string {
  return bound.length % 2 === 0 ? bound : `${bound}0`;
}
