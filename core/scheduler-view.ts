/** What people see of the scheduler: lists, times and reasons in words. Reads only. */
import type { ClockStatus } from './clock-guard.ts';
import type { JobSpec } from './config.ts';
import type { Id } from './fields.ts';
import { NEVER_MS } from './limits.ts';
import { type Grid, inWords, timeInWords } from './schedule.ts';
import type { ScheduleRow } from './schedule-rows.ts';

/** A job for one identity, as a line of a list. */
export interface JobLine {
  readonly name: string;
  /** 0: once for the whole node. null: for each network, and there is none. */
  readonly identity: number | null;
  readonly network_id: Id | null;
  /** When it runs, in words. */
  readonly every: string;
  readonly after: string | null;
  readonly state: 'scheduled' | 'paused' | 'disabled' | 'held' | 'waiting' | 'retrying' | 'no_network';
  readonly next_due_ms: number | null;
  readonly last_run_ms: number | null;
  readonly last_failed_ms: number | null;
  readonly attempt: number;
}

export interface Occasion {
  readonly name: string;
  readonly identity: number;
  readonly network_id: Id | null;
  readonly due_ms: number;
}

/** One thing that keeps a job from running now. */
export interface Reason {
  readonly reason:
    | 'not_due'
    | 'paused'
    | 'disabled'
    | 'clock_suspect'
    | 'retry_backoff'
    | 'waiting_for_after'
    | 'no_network';
  /** null: true of the job as a whole. */
  readonly identity: number | null;
  readonly text: string;
}

export function linesOf(spec: JobSpec, rows: readonly ScheduleRow[]): readonly JobLine[] {
  const offset = spec.offset_ms > 0 ? ` + ${inWords(spec.offset_ms)}` : '';
  const every =
    spec.cron === null ? `every ${inWords(spec.frequency_ms ?? 0)}${offset}` : `cron ${spec.cron} UTC`;
  const common = { name: spec.name, every, after: spec.after };
  if (rows.length === 0) {
    const nothing = { next_due_ms: null, last_run_ms: null, last_failed_ms: null, attempt: 0 };
    return [
      {
        ...common,
        ...nothing,
        identity: null,
        network_id: null,
        state: spec.enabled ? 'no_network' : 'disabled',
      },
    ];
  }
  return rows.map((row) => ({
    ...common,
    identity: row.identity,
    network_id: row.network_id,
    state: stateOf(row),
    next_due_ms: row.next_due_ms === NEVER_MS ? null : row.next_due_ms,
    last_run_ms: row.last_run_ms,
    last_failed_ms: row.last_failed_ms,
    attempt: row.attempt,
  }));
}

function stateOf(row: ScheduleRow): JobLine['state'] {
  if (row.disabled) return 'disabled';
  if (row.paused_since_ms !== null) return 'paused';
  if (row.parked !== null) return row.parked;
  return row.attempt > 0 ? 'retrying' : 'scheduled';
}

/** `rows` are the `count` that are due first: no other row can have an occurrence among the first `count`. */
export function nextOccasions(
  rows: readonly ScheduleRow[],
  gridOf: (job: string) => Grid,
  count: number,
): readonly Occasion[] {
  const occasions: Occasion[] = [];
  for (const { job, identity, network_id, next_due_ms } of rows) {
    let due_ms = next_due_ms;
    for (let step = 0; step < count && due_ms !== NEVER_MS; step++) {
      occasions.push({ name: job, identity, network_id, due_ms });
      due_ms = gridOf(job).next(due_ms);
    }
  }
  return occasions.sort((one, other) => one.due_ms - other.due_ms).slice(0, count);
}

export function reasonsOf(
  spec: JobSpec,
  rows: readonly ScheduleRow[],
  clock: ClockStatus,
  now_ms: number,
  mustWait: (row: ScheduleRow) => boolean,
): readonly Reason[] {
  if (!spec.enabled) {
    return [
      { reason: 'disabled', identity: null, text: `It is switched off by 'enabled: false' in ${spec.file}.` },
    ];
  }
  if (rows.length === 0) {
    return [
      {
        reason: 'no_network',
        identity: null,
        text: 'It runs for each network, and this node is in none yet.',
      },
    ];
  }
  return rows.flatMap((row) => {
    const reasons: Reason[] = [];
    const because = (reason: Reason['reason'], text: string) =>
      reasons.push({ reason, identity: row.identity, text });
    if (row.paused_since_ms !== null)
      because('paused', `It is paused since ${timeInWords(row.paused_since_ms)}.`);
    if (clock.suspect && spec.job?.value.options.destructive === true) {
      because(
        'clock_suspect',
        `It destroys, and the clock is suspect: ${clock.reason}. ${howToClear(clock)}`,
      );
    }
    if (row.attempt > 0 && row.next_due_ms > now_ms) {
      const when =
        row.next_due_ms === NEVER_MS
          ? 'It will be tried again.'
          : `The next try is ${inTime(row.next_due_ms, now_ms)}.`;
      because(
        'retry_backoff',
        `It failed ${row.attempt} time(s) in a row, last with ${row.error_class} at ${row.error_place}. ${when}`,
      );
    } else if (row.next_due_ms !== NEVER_MS && row.next_due_ms > now_ms) {
      because('not_due', `It is due ${inTime(row.next_due_ms, now_ms)}.`);
    } else if (row.paused_since_ms !== null && row.occurrence_ms > now_ms) {
      because('not_due', `Its next occurrence is ${inTime(row.occurrence_ms, now_ms)}.`);
    }
    if (mustWait(row)) {
      because(
        'waiting_for_after',
        `It follows '${spec.after}', which has to complete a run first (see why ${spec.after}).`,
      );
    }
    return reasons;
  });
}

const inTime = (at_ms: number, now_ms: number) => `in ${inWords(at_ms - now_ms)}, at ${timeInWords(at_ms)}`;

function howToClear(clock: ClockStatus): string {
  if (clock.needed === null) return 'Nobody else is known who could agree with it: confirm it by hand.';
  return `${clock.agreeing} of ${clock.needed} other user(s) agree with it; or confirm it by hand.`;
}
