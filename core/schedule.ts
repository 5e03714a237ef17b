/**
 * When jobs run, as arithmetic: grids of occurrences, and what to do about the ones that have passed. Pure and in closed
 * form, so that eight hours of sleep cost the same as one period.
 *
 * An occurrence is a point of the grid and lies where the grid puts it, however late its run starts: nothing drifts.
 */
import { Cron } from 'croner';
import { limits, NEVER_MS } from './limits.ts';

/** The occurrences of a job, in milliseconds since 1970 (UTC). */
export interface Grid {
  /** Equal texts are equal grids. */
  readonly text: string;
  /** The first occurrence after `ms`; `NEVER_MS` if there is none. */
  next(ms: number): number;
  /** The last occurrence at or before `ms`. */
  newest(ms: number): number;
  /** The occurrence `steps` before the occurrence `ms`. */
  back(ms: number, steps: number): number;
  /** How many lie from the occurrence `first_ms` to the occurrence `last_ms`, both included. Cron stops at `misfire_all_max + 1`. */
  count(first_ms: number, last_ms: number): number;
}

/** Occurrences at `offset_ms + n * frequency_ms` since 1970. */
export function everyGrid(frequency_ms: number, offset_ms: number): Grid {
  const newest = (ms: number) => offset_ms + Math.floor((ms - offset_ms) / frequency_ms) * frequency_ms;
  return {
    text: `every ${frequency_ms} ms + ${offset_ms}`,
    next: (ms) => newest(ms) + frequency_ms,
    newest,
    back: (ms, steps) => ms - steps * frequency_ms,
    count: (first_ms, last_ms) => (last_ms - first_ms) / frequency_ms + 1,
  };
}

/** Occurrences of a five-field cron pattern in UTC. Throws what croner throws on a bad one. */
export function cronGrid(pattern: string): Grid {
  const cron = new Cron(pattern, { utcOffset: 0, mode: '5-part', paused: true });
  // croner's previous runs lie strictly before the date it is given.
  const upTo = (ms: number, count: number) => cron.previousRuns(count, new Date(ms + 1));
  return {
    text: `cron ${pattern}`,
    next: (ms) => cron.nextRun(new Date(ms))?.getTime() ?? NEVER_MS,
    newest: (ms) => upTo(ms, 1)[0]?.getTime() ?? 0,
    back: (ms, steps) =>
      upTo(ms, steps + 1)
        .at(-1)
        ?.getTime() ?? ms,
    count: (first_ms, last_ms) =>
      upTo(last_ms, limits.misfire_all_max + 1).filter((date) => date.getTime() >= first_ms).length,
  };
}

/** What becomes of occurrences that passed without a run: the newest is run, none is, or each is (up to a cap). */
export type Misfire = 'once' | 'skip' | 'all';

export interface Plan {
  /** The occurrence to run; null: none, what has passed is skipped. */
  readonly scheduled_for_ms: number | null;
  /** Occurrences passed over since the last run. */
  readonly missed: number;
  /** The row once this is settled. */
  readonly settled: { readonly occurrence_ms: number; readonly next_due_ms: number };
}

/**
 * What to do with a row that is due. `occurrence_ms` is its oldest unsettled occurrence.
 *
 * After the clock went back, `occurrence_ms` may lie in the future though the row is due: everything before it has been
 * run already. Then that very occurrence is run now, under its own number, and the following ones at today's times: so
 * no number is spent twice, and no job stands still until the clock has caught up.
 */
export function plan(
  grid: Grid,
  misfire: Misfire,
  row: { readonly occurrence_ms: number; readonly attempt: number },
  now_ms: number,
): Plan {
  const open_ms = row.occurrence_ms;
  const newest_ms = Math.max(grid.newest(now_ms), open_ms);
  const passed = newest_ms === open_ms ? 0 : grid.count(open_ms, newest_ms) - 1;
  const after = { occurrence_ms: grid.next(newest_ms), next_due_ms: grid.next(now_ms) };

  if (misfire === 'all' && passed > 0) {
    const dropped = Math.max(0, passed + 1 - limits.misfire_all_max);
    const first_ms = dropped > 0 ? grid.back(newest_ms, limits.misfire_all_max - 1) : open_ms;
    const following_ms = grid.next(first_ms);
    return {
      scheduled_for_ms: first_ms,
      missed: dropped,
      settled: { occurrence_ms: following_ms, next_due_ms: following_ms },
    };
  }
  const retrying = row.attempt > 0 && passed === 0;
  if (misfire === 'skip' && !retrying && now_ms - newest_ms > limits.misfire_late_ms) {
    return { scheduled_for_ms: null, missed: passed + 1, settled: after };
  }
  return { scheduled_for_ms: newest_ms, missed: passed, settled: after };
}

/** When a failed run is tried again: 1 s, 2 s, 4 s ... capped, each shortened by up to half so that nodes do not march in step. */
export function retryDelayMs(failures: number, random: (length: number) => Uint8Array): number {
  const whole_ms = Math.min(limits.retry_ms_max, limits.retry_ms_first * 2 ** Math.min(failures - 1, 40));
  const [high = 0, low = 0] = random(2);
  return Math.ceil(whole_ms * (0.5 + (high * 256 + low) / 65_535 / 2));
}

/** A span of time as a person says it: `4 min 30 s`, `3 d 2 h`. */
export function inWords(span_ms: number): string {
  const ms = Math.abs(Math.round(span_ms));
  if (ms < 1_000) return `${ms} ms`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  let rest = ms;
  const words: string[] = [];
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.join(' ');
}

/** A time as ISO 8601 in UTC, or `never`. */
export function timeInWords(ms: number): string {
  return ms > 8.64e15 ? 'never' : new Date(ms).toISOString();
}
