/** One run of a job: the pure function, its envelopes through the pipeline, and the row that tells of it. */
import { assert, placeOf, SottoError } from './assert.ts';
import type { Clock } from './clock.ts';
import type { Look } from './clock-guard.ts';
import type { JobSpec } from './config.ts';
import { isStorageFault } from './db.ts';
import type { Envelope } from './envelope.ts';
import { limits } from './limits.ts';
import type { Registered } from './protocol.ts';
import type { JobRun, ScheduleRow, ScheduleRows } from './schedule-rows.ts';
import type { Job } from './sources.ts';
import type { Submitted, Transaction } from './transaction.ts';

/** What one run is for. */
export interface Occurrence {
  readonly now_ms: number;
  readonly scheduled_for_ms: number;
  readonly missed: number;
  readonly attempt: number;
}

export interface RunPorts {
  readonly clock: Clock;
  /** Runs the pure function and nothing else. May throw. `identity` 0: for the whole node. */
  readonly run_job: (
    job: Registered<Job>,
    params: Record<string, unknown>,
    identity: number,
    occurrence: Occurrence,
  ) => readonly Envelope[];
}

/**
 * Runs a job under a savepoint of its own and records the run, unless it had nothing to do. A throw rolls back to the
 * savepoint and makes it a failed run, which is returned like any other; only where the storage itself failed is it
 * thrown on, and the whole transaction goes. Poisoned envelopes were rolled back alone by
 * the pipeline: they are counted in the run row, and the run is not failed by them, or one bad envelope would bring all
 * others of its batch back at each retry, for ever.
 */
export function runJob(
  ports: RunPorts,
  rows: ScheduleRows,
  transaction: Transaction,
  spec: JobSpec,
  row: ScheduleRow,
  started_by: JobRun['started_by'],
  occurrence: Occurrence,
): JobRun {
  const { job } = spec;
  assert(job !== null, 'a job that runs is not disabled');
  const { now_ms, scheduled_for_ms, missed, attempt } = occurrence;
  const { identity, network_id } = row;
  const begun_ms = ports.clock.monotonic_ms();
  let result: Outcome;
  try {
    result = transaction.savepoint(() => {
      const envelopes = ports.run_job(job, spec.paramsFor(network_id), identity, occurrence);
      if (envelopes.length === 0) return NOTHING_DONE;
      const cause = { kind: 'job', name: spec.name, scheduled_for_ms } as const;
      return outcomeOf(envelopes.length, transaction.submit(identity, cause, envelopes));
    });
  } catch (thrown) {
    if (isStorageFault(thrown)) throw thrown;
    result = { ...NOTHING_DONE, ...placeOf(thrown), outcome: 'failed' };
  }
  const run: JobRun = {
    job: spec.name,
    identity,
    network_id,
    started_by,
    scheduled_for_ms,
    started_ms: now_ms,
    duration_ms: Math.max(0, ports.clock.monotonic_ms() - begun_ms),
    missed,
    attempt,
    ...result,
  };
  if (run.outcome === 'failed' || run.emitted > 0) rows.addRun(run);
  return run;
}

type Outcome = Pick<
  JobRun,
  'outcome' | 'emitted' | 'processed' | 'rejected' | 'blocked' | 'poisoned' | 'error_class' | 'error_place'
>;

const NOTHING_DONE: Outcome = {
  outcome: 'done',
  emitted: 0,
  processed: 0,
  rejected: 0,
  blocked: 0,
  poisoned: 0,
  error_class: null,
  error_place: null,
};

function outcomeOf(emitted: number, { processed, rejected, blocked, failed }: Submitted): Outcome {
  return {
    outcome: 'done',
    emitted,
    processed,
    rejected: rejected.length,
    blocked: blocked.length,
    poisoned: failed.length,
    error_class: failed[0]?.error_class ?? null,
    error_place: failed[0]?.error_place ?? null,
  };
}

/** Whether it returned a full batch, so that more may be waiting. */
export const isFull = (spec: JobSpec, run: JobRun): boolean =>
  run.emitted > 0 && run.emitted >= (spec.job?.value.options.batch ?? limits.emitted_max);

/** Whether a suspect clock holds it. */
export const isDestructive = (spec: JobSpec): boolean => spec.job?.value.options.destructive === true;

/** Throws `SottoError('clock_suspect')` for what destroys while the clock is suspect. */
export function refuseWhileSuspect(spec: JobSpec, look: Look): void {
  if (!look.suspect || !isDestructive(spec)) return;
  throw new SottoError(
    'clock_suspect',
    `'${spec.name}' is held: the clock is suspect (${look.clock.reason}). Set it right, or confirm it.`,
  );
}
