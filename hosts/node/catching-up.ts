/**
 * How far a device is in fetching what it has missed, out of what it fetches through each session. Two sessions may fetch the same from both ends: what is
 * left of it is counted once, as the one that began first has it, for that one saw all of it come.
 */
import type { CatchingUpView } from '../../api/facade.ts';

/** A row of `get_fetches`. */
export interface FetchRow {
  /** Ranges of ids that are left, as a JSON list of pairs, in order. */
  readonly ranges: string;
  readonly left: number;
  readonly begun_n: number;
  readonly begun_ms: number;
}

/** Where nothing has come for so long, nobody waits for it any more. */
export const FETCH_STALE_MS = 10_000;

/** null: nothing is being fetched, or not known yet how much. */
export function catchingUp(rows: readonly FetchRow[], now_ms: number): CatchingUpView | null {
  const counted: FetchRow[] = [];
  for (const row of rows.filter(({ left }) => left > 0).sort((one, other) => one.begun_ms - other.begun_ms))
    if (!counted.some((other) => meet(row, other))) counted.push(row);
  if (counted.length === 0) return null;
  const sum = (of: (row: FetchRow) => number) => counted.reduce((total, row) => total + of(row), 0);
  const times = counted.map((row) => timeLeft(row, now_ms));
  return {
    events_left: sum(({ left }) => left),
    events_total: sum(({ begun_n }) => begun_n),
    // They go on beside each other.
    time_left_ms: times.every((time) => time !== null) ? Math.max(...times) : null,
  };
}

/** At the pace since it began; null as long as it has none. */
function timeLeft({ left, begun_n, begun_ms }: FetchRow, now_ms: number): number | null {
  const took_ms = now_ms - begun_ms;
  return begun_n > left && took_ms > 0 ? Math.round((left * took_ms) / (begun_n - left)) : null;
}

function meet(one: FetchRow, other: FetchRow): boolean {
  const [ranges, others] = [one, other].map((row) => JSON.parse(row.ranges) as [string, string][]);
  return ranges!.some(([lower, upper]) => others!.some(([from, to]) => from < upper && lower < to));
}
