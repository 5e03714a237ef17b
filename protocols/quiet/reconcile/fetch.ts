/**
 * What is fetched from whom, so that nothing is fetched twice: from the first peer that has it, the newest first; a second peer that has the same serves
 * it from the other end, until they meet.
 */
import type { Infer } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { type getFetch, getFetches } from '../events/fetch/queries.ts';
import { RANGES_MAX } from '../events/fetch/schema.ts';
import { FEW_IDS_MAX, type ItemSource, type Range } from './negentropy.ts';

/** What a session fetches, or is to fetch: as messages say it. */
export interface Fetch {
  readonly lowers: readonly string[];
  readonly uppers: readonly string[];
  readonly oldest_first: boolean;
}
type Row = Infer<(typeof getFetch)['row']>;
interface Bounds {
  readonly lower: string;
  readonly upper: string;
}

/** A fetch from which nothing has come for so long is somebody else's to take over. */
const STANDS_STILL_MS = 10_000;
const BEHIND_ALL = 'ff'.repeat(33);

/** What is being fetched now, through all sessions. */
export const fetchesNow = (query: Query, now_ms: number): readonly Row[] =>
  query(getFetches, { since_ms: now_ms - STANDS_STILL_MS });

/** What to fetch through a session of ranges of which we have little or nothing; null: nothing now. */
export function fetchOf(
  query: Query,
  few: readonly Range[],
  session_id: string,
  now_ms: number,
): Fetch | null {
  if (few.length === 0) return null;
  const active = fetchesNow(query, now_ms);
  if (active.some((fetch) => fetch.session_id === session_id)) return null;
  const wanted = few.map(({ lower, upper }) => ({ lower, upper: upper ?? BEHIND_ALL }));
  const others = active.filter((fetch) => rangesOf(fetch).some((range) => meets(range, wanted)));
  const [other] = others;
  if (other === undefined) return fetchFrom(wanted.slice(-RANGES_MAX), false);
  if (others.length > 1 || other.oldest_first) return null;
  const left = without(wanted, servedOf(other));
  return left.length === 0 ? null : fetchFrom(left.slice(0, RANGES_MAX), true);
}

/** What is left to fetch through a session once others have served some of it. */
export function withoutOthers(query: Query, left: Fetch, session_id: string, now_ms: number): Fetch {
  const others = fetchesNow(query, now_ms).filter(
    (other) => other.session_id !== session_id && other.oldest_first !== left.oldest_first,
  );
  const ranges = others.reduce((ranges, other) => without(ranges, servedOf(other)), boundsOf(left));
  return fetchFrom(ranges, left.oldest_first);
}

/** Whether what a peer says is left is part of what it was asked for, and less. */
export function isLess(left: Fetch, asked: Row): boolean {
  const before = rangesOf(asked);
  const after = boundsOf(left);
  const is_part = after.every(
    ({ lower, upper }) =>
      lower < upper && before.some((range) => range.lower <= lower && upper <= range.upper),
  );
  return is_part && after.length <= before.length && JSON.stringify(after) !== JSON.stringify(before);
}

/** The next ids of a fetch, at most `limit`, in order; and what is left of it behind them. */
export function pageOf(
  items: Pick<ItemSource, 'ids'> & { readonly newest: ItemSource['ids'] },
  fetch: Fetch,
  limit: number,
  except: ReadonlySet<string> = new Set(),
): { readonly page: readonly string[]; readonly left: Fetch } {
  const ranges = fetch.oldest_first ? boundsOf(fetch) : boundsOf(fetch).reverse();
  const page: string[] = [];
  while (ranges.length > 0 && page.length < limit) {
    const range = ranges[0]!;
    const room = limit - page.length;
    // As many more as may have to be left out.
    const all = (fetch.oldest_first ? items.ids : items.newest)(range, room + 1 + except.size);
    const found = all.filter((id) => !except.has(id));
    page.push(...found.slice(0, room));
    ranges.shift();
    const beyond = found[room];
    if (beyond === undefined) continue;
    // Up to the one that was sent last, or from the first that was not.
    ranges.unshift(fetch.oldest_first ? { ...range, lower: beyond } : { ...range, upper: found[room - 1]! });
    break;
  }
  const left = fetch.oldest_first ? ranges : ranges.reverse();
  return { page: page.sort(), left: fetchFrom(left, fetch.oldest_first) };
}

export function boundsOf({ lowers, uppers }: Fetch): Bounds[] {
  return lowers.map((lower, at) => ({ lower, upper: uppers[at] ?? lower }));
}

function rangesOf({ ranges }: Row): Bounds[] {
  return (JSON.parse(ranges) as [string, string][]).map(([lower, upper]) => ({ lower, upper }));
}

function fetchFrom(ranges: readonly Bounds[], oldest_first: boolean): Fetch {
  return {
    lowers: ranges.map(({ lower }) => lower),
    uppers: ranges.map(({ upper }) => upper),
    oldest_first,
  };
}

/** What has come of a fetch, or is under way: from its beginning to what is left. */
function servedOf(fetch: Row): Bounds {
  const ranges = rangesOf(fetch);
  return fetch.oldest_first
    ? { lower: fetch.begun_at, upper: ranges[0]!.lower }
    : { lower: ranges.at(-1)!.upper, upper: fetch.begun_at };
}

const meets = (range: Bounds, others: readonly Bounds[]): boolean =>
  others.some((other) => other.lower < range.upper && range.lower < other.upper);

function without(ranges: readonly Bounds[], served: Bounds): Bounds[] {
  return ranges
    .flatMap(({ lower, upper }) =>
      meets({ lower, upper }, [served])
        ? [
            { lower, upper: served.lower < upper ? served.lower : upper },
            { lower: served.upper > lower ? served.upper : lower, upper },
          ]
        : [{ lower, upper }],
    )
    .filter(({ lower, upper }) => lower < upper);
}

/** The body of a request for what is left of a fetch. */
export function fetchBody(
  fetch: Fetch,
  items: Pick<ItemSource, 'ids' | 'alsoKnown'>,
  cut_ms: number,
  first: boolean,
) {
  const except = new Set<string>();
  for (const range of boundsOf(fetch)) {
    const room = FEW_IDS_MAX - except.size;
    if (room <= 0) break;
    for (const id of [...items.ids(range, room), ...items.alsoKnown(range, room)].slice(0, room))
      except.add(id);
  }
  return { ...mutable(fetch), except: [...except], cut_ms, first };
}

/** As the types of messages want it. */
export const mutable = ({ lowers, uppers, oldest_first }: Fetch) => ({
  lowers: [...lowers],
  uppers: [...uppers],
  oldest_first,
});
