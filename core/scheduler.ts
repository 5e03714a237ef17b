/**
 * The scheduler: runs jobs because time passed. It has no timer and no state of its own; a host calls `runDueJobs` when
 * the earliest row is due, and everything it knows is in the tables of `scheduler-schema.ts`.
 *
 * What must always hold: an occurrence, the envelopes its run emitted, its run row and the row's next due time are one
 * transaction, so that after a crash either all of a run is there or none; and `occurrence_ms` of a row only grows, so
 * that nothing runs twice, whatever the clock does.
 *
 * `after` means: a due run waits until the job it follows has completed a run since this one's last, and has none open.
 * Where both are due, both run in one pass, in this order.
 */
import { assert, SottoError } from './assert.ts';
import type { Random } from './clock.ts';
import { ClockGuard, type ClockStatus, type Look, type Witness } from './clock-guard.ts';
import type { JobSpec } from './config.ts';
import type { Db } from './db.ts';
import type { Envelope } from './envelope.ts';
import type { Id } from './fields.ts';
import { isDestructive, isFull, type RunPorts, refuseWhileSuspect, runJob } from './job-run.ts';
import { limits, NEVER_MS } from './limits.ts';
import { plan, retryDelayMs } from './schedule.ts';
import { bringForward, fitRows, fromNowOn } from './schedule-fit.ts';
import { type JobRun, type ScheduleRow, ScheduleRows } from './schedule-rows.ts';
import { SCHEDULER_SQL } from './scheduler-schema.ts';
import {
  type JobLine,
  linesOf,
  nextOccasions,
  type Occasion,
  type Reason,
  reasonsOf,
} from './scheduler-view.ts';
import type { Transact, Transaction } from './transaction.ts';
import { nearest } from './yaml-file.ts';

export interface SchedulerPorts extends RunPorts {
  readonly db: Db;
  readonly random: Random;
  readonly transact: Transact;
  /** Who network jobs run for: one row each. */
  readonly identities: () => readonly { readonly identity: number; readonly network_id: Id }[];
  /** How far the clocks of other users' devices are from ours, as measured by this process. */
  readonly witnesses: () => readonly Witness[];
  /** How many other users this node knows. */
  readonly other_users: () => number;
}

export interface PassSummary {
  /** Runs that completed, also those that emitted nothing. */
  readonly ran: number;
  readonly failed: number;
  /** Rows that are due and held, because the clock is suspect and their job destroys. */
  readonly held: number;
  readonly next_due_ms: number | null;
}

/** What became of a due row. */
type Taken = 'ran' | 'failed' | 'set_aside';

export class JobScheduler {
  readonly #ports: SchedulerPorts;
  readonly #rows: ScheduleRows;
  readonly #guard: ClockGuard;
  #specs: ReadonlyMap<string, JobSpec> = new Map();
  #busy = false;

  /** Creates missing tables. Nothing is scheduled before `load`. */
  constructor(ports: SchedulerPorts) {
    ports.db.exec(SCHEDULER_SQL);
    this.#ports = ports;
    this.#rows = new ScheduleRows(ports.db);
    this.#guard = new ClockGuard(ports);
  }

  // --- what is scheduled ------------------------------------------------------------------------------------------------

  /**
   * Takes over a checked `jobs.yaml`, whole or (it throws) not at all. Rows whose grid is unchanged keep their place on
   * it and stay paused; new ones begin at the next occurrence; rows of jobs that are gone go, with their history.
   */
  load(specs: readonly JobSpec[]): void {
    this.#exclusively(() => {
      const { now_ms } = this.#look();
      const loaded = new Map(specs.map((spec) => [spec.name, spec]));
      this.#ports.transact(now_ms, () => fitRows(this.#rows, loaded, this.#ports.identities(), now_ms));
      this.#specs = loaded;
    });
  }

  /** To be called when an identity has come or gone: gives it its rows, or removes them. */
  identitiesChanged(): void {
    this.load([...this.#specs.values()]);
  }

  // --- running ----------------------------------------------------------------------------------------------------------

  /** Runs what is due now, with one time for all of it; what it has not come to after a moment stays due, so that others get their turn. */
  runDueJobs(): PassSummary {
    return this.#exclusively(() => {
      const look = this.#look();
      const taken: Taken[] = [];
      if (this.#rows.earliest() <= look.now_ms) {
        const pass = this.#rows.pass() + 1;
        for (let batch = 0; batch < limits.pass_batches_max; batch++) {
          const done = this.#ports.transact(look.now_ms, (transaction) =>
            this.#runBatch(transaction, look, pass),
          );
          if (done.length === 0) break;
          taken.push(...done);
          if (this.#ports.clock.monotonic_ms() - look.monotonic_ms > limits.pass_ms_max) break;
        }
      }
      return {
        ran: taken.filter((what) => what === 'ran').length,
        failed: taken.filter((what) => what === 'failed').length,
        held: look.suspect ? this.#rows.heldCount() : 0,
        next_due_ms: this.nextDueMs(),
      };
    });
  }

  /** One transaction's worth of due rows, each job after the one it follows. Every row taken is due later, or parked. */
  #runBatch(transaction: Transaction, look: Look, pass: number): readonly Taken[] {
    const due = this.#rows.due(look.now_ms);
    if (due.length === 0) return [];
    this.#guard.write(look);
    this.#rows.setPass(pass);
    due.sort((one, other) => this.#rank(one.job) - this.#rank(other.job));
    return due.map((row) => this.#take(transaction, row, look, pass));
  }

  /** One due row: skipped, held, made to wait, or run. */
  #take(transaction: Transaction, row: ScheduleRow, look: Look, pass: number): Taken {
    const { now_ms } = look;
    const spec = this.#spec(row.job);
    const planned = plan(spec.grid, spec.misfire, row, now_ms);

    if (planned.scheduled_for_ms === null) {
      this.#rows.change(row.id, { ...planned.settled, attempt: 0, drained: 0 });
      this.#wakeFollowers(row, now_ms);
      return 'set_aside';
    }
    if (look.suspect && isDestructive(spec)) {
      this.#rows.change(row.id, { next_due_ms: NEVER_MS, parked: 'held' });
      return 'set_aside';
    }
    if (this.#mustWait(spec, row, now_ms)) {
      this.#rows.change(row.id, { next_due_ms: NEVER_MS, parked: 'waiting' });
      return 'set_aside';
    }

    const { scheduled_for_ms, missed } = planned;
    const run = runJob(this.#ports, this.#rows, transaction, spec, row, 'schedule', {
      now_ms,
      scheduled_for_ms,
      missed,
      attempt: row.attempt,
    });

    if (run.outcome === 'failed') {
      const { error_class, error_place } = run;
      const next_due_ms =
        now_ms + retryDelayMs(row.attempt + 1, (length) => this.#ports.random.bytes(length));
      this.#rows.change(row.id, {
        attempt: row.attempt + 1,
        next_due_ms,
        last_failed_ms: now_ms,
        error_class,
        error_place,
      });
      return 'failed';
    }
    const ran = {
      last_occurrence_ms: scheduled_for_ms,
      last_run_ms: now_ms,
      attempt: 0,
      error_class: null,
      error_place: null,
    };
    if (spec.drain && isFull(spec, run) && row.drained + 1 < limits.drain_max) {
      // Still due, so taken again in the next transaction: the same occurrence, the next batch.
      this.#rows.change(row.id, {
        ...ran,
        occurrence_ms: scheduled_for_ms,
        next_due_ms: now_ms,
        drained: row.drained + 1,
      });
      return 'ran';
    }
    this.#rows.change(row.id, { ...ran, ...planned.settled, drained: 0, completed_pass: pass });
    this.#wakeFollowers(row, now_ms);
    return 'ran';
  }

  // --- by hand ------------------------------------------------------------------------------------------------------------

  /**
   * Runs a job now, for one identity or all of its own, paused or not, and drains it if it drains. Leaves the grid as it
   * is. Throws `SottoError` `job_disabled`, `no_network`, or `clock_suspect` for what destroys while the clock is suspect.
   */
  run(name: string, identity?: number): readonly JobRun[] {
    return this.#exclusively(() => {
      const spec = this.#runnable(name);
      const look = this.#look();
      refuseWhileSuspect(spec, look);
      const runs: JobRun[] = [];
      for (const row of this.#rowsOf(spec, identity)) {
        for (let batch = 0; batch < limits.drain_max; batch++) {
          const run = this.#byHand(spec, row, look.now_ms);
          runs.push(run);
          if (!spec.drain || run.outcome === 'failed' || !isFull(spec, run)) break;
        }
      }
      return runs;
    });
  }

  /** One batch of a job by hand, for one identity, with other parameters than the schedule's where given: for hosts that go on in between. */
  runOnce(name: string, identity: number, params: Readonly<Record<string, unknown>> = {}): JobRun {
    return this.#exclusively(() => {
      const spec = this.#runnable(name);
      const look = this.#look();
      refuseWhileSuspect(spec, look);
      const paramsFor = (network_id: Id | null) => ({ ...spec.paramsFor(network_id), ...params });
      return this.#byHand({ ...spec, paramsFor }, this.#rowsOf(spec, identity)[0]!, look.now_ms);
    });
  }

  #byHand(spec: JobSpec, row: ScheduleRow, now_ms: number): JobRun {
    const occurrence = { now_ms, scheduled_for_ms: now_ms, missed: 0, attempt: 0 };
    return this.#ports.transact(now_ms, (transaction) =>
      runJob(this.#ports, this.#rows, transaction, spec, row, 'hand', occurrence),
    );
  }

  /** What a job would emit now, for one identity or each of its own: run on live data, without any effect. Throws what it throws. */
  preview(
    name: string,
    identity?: number,
  ): readonly { readonly identity: number; readonly envelopes: readonly Envelope[] }[] {
    return this.#exclusively(() => {
      const spec = this.#runnable(name);
      const now_ms = this.#now();
      return this.#rowsOf(spec, identity).map((row) => {
        const planned = plan(spec.grid, spec.misfire, row, now_ms);
        const scheduled_for_ms = planned.scheduled_for_ms ?? row.occurrence_ms;
        const occurrence = { now_ms, scheduled_for_ms, missed: planned.missed, attempt: row.attempt };
        const params = spec.paramsFor(row.network_id);
        return {
          identity: row.identity,
          envelopes: this.#ports.run_job(spec.job!, params, row.identity, occurrence),
        };
      });
    });
  }

  /** Stops a job, for one identity or all of its own, until `resume`; `run` still runs it. */
  pause(name: string, identity?: number): void {
    this.#changeRows(name, identity, (row, _spec, now_ms) =>
      row.paused_since_ms === null ? { paused_since_ms: now_ms, next_due_ms: NEVER_MS, parked: null } : null,
    );
  }

  /** Lets a paused job go on. The paused time is not missed; a run that was open when the pause began is done at once. */
  resume(name: string, identity?: number): void {
    this.#changeRows(name, identity, (row, spec, now_ms) => {
      if (row.paused_since_ms === null) return null;
      const was_open = row.attempt > 0 || row.occurrence_ms <= row.paused_since_ms;
      const begun = was_open
        ? { occurrence_ms: Math.max(row.occurrence_ms, spec.grid.newest(now_ms)), next_due_ms: now_ms }
        : fromNowOn(spec, row, now_ms);
      return { ...begun, next_due_ms: row.disabled ? NEVER_MS : begun.next_due_ms, paused_since_ms: null };
    });
  }

  // --- the clock ------------------------------------------------------------------------------------------------------------

  /** The highest time that was ever believed: what had expired by then has expired. */
  highestMs(): number {
    return this.#guard.highestMs();
  }

  clockStatus(): ClockStatus {
    return this.#guard.status();
  }

  /** The user's word that the clock is right: what was held becomes due. */
  confirmClock(): void {
    this.#exclusively(() => this.#believe(this.#guard.lookConfirmed()));
  }

  // --- looking ------------------------------------------------------------------------------------------------------------

  /** When `runDueJobs` has something to do next, in wall time; null: never, as things are. */
  nextDueMs(): number | null {
    const earliest = this.#rows.earliest();
    return earliest === NEVER_MS ? null : earliest;
  }

  /** How long the host's one timer sleeps. Never long: clocks jump, and the pass after waking reads clock and rows anew. */
  delayMs(now_ms: number): number {
    return Math.min(Math.max(0, (this.nextDueMs() ?? NEVER_MS) - now_ms), limits.timer_ms_max);
  }

  list(): readonly JobLine[] {
    return [...this.#specs.values()].flatMap((spec) => linesOf(spec, this.#rows.of(spec.name)));
  }

  /** The next `count` occurrences (500 at most) of all jobs, in the order of their times. Parked and paused ones have no time. */
  next(count: number): readonly Occasion[] {
    const most = Math.min(count, limits.due_batch_max);
    return nextOccasions(this.#rows.upcoming(), (job) => this.#spec(job).grid, most);
  }

  /** The newest runs first. Runs that emitted nothing are not recorded, unless they failed. */
  history(name?: string, count = 50): readonly JobRun[] {
    return this.#rows.runs(name === undefined ? null : this.#known(name).name, count);
  }

  /** Everything that keeps a job from running now; an empty list means that the next pass runs it. */
  why(name: string, identity?: number): readonly Reason[] {
    const spec = this.#known(name);
    const rows = identity === undefined ? this.#rows.of(name) : this.#rowsOf(spec, identity);
    const clock = this.#guard.status();
    const now_ms = this.#now();
    return reasonsOf(spec, rows, clock, now_ms, (row) => this.#mustWait(spec, row, now_ms));
  }

  // --- inside ---------------------------------------------------------------------------------------------------------------

  /** Reads the clock and lets what follows from it happen: suspicion, its end, and rows brought forward after a step back. */
  #look(): Look {
    return this.#believe(this.#guard.look());
  }

  #believe(look: Look): Look {
    if (look.worth_writing) {
      this.#ports.transact(look.now_ms, () => {
        this.#guard.write(look);
        if (look.cleared) this.#rows.unpark('held', look.now_ms);
        if (look.went_back)
          for (const spec of this.#specs.values()) bringForward(this.#rows, spec, look.now_ms);
      });
    }
    this.#guard.keep(look);
    return look;
  }

  /** Whether the job that this one follows has a run open, or has completed none since this one's last. */
  #mustWait(spec: JobSpec, row: ScheduleRow, now_ms: number): boolean {
    if (spec.after === null) return false;
    const leader = this.#spec(spec.after);
    const identity = leader.for_each === 'node' ? 0 : spec.for_each === 'node' ? null : row.identity;
    return this.#rows.isBehind(leader.name, identity, row.completed_pass, now_ms);
  }

  #wakeFollowers(row: ScheduleRow, now_ms: number): void {
    for (const spec of this.#specs.values()) {
      if (spec.after !== row.job) continue;
      const same_identity = spec.for_each === 'network' && row.network_id !== null;
      this.#rows.wake(spec.name, same_identity ? row.identity : null, now_ms);
    }
  }

  /** How many jobs stand before this one in its chain of `after`. */
  #rank(job: string): number {
    let rank = 0;
    for (let after = this.#spec(job).after; after !== null; after = this.#spec(after).after) {
      assert(rank++ < this.#specs.size, 'jobs that follow each other begin somewhere');
    }
    return rank;
  }

  #changeRows(
    name: string,
    identity: number | undefined,
    change: (row: ScheduleRow, spec: JobSpec, now_ms: number) => Parameters<ScheduleRows['change']>[1] | null,
  ): void {
    this.#exclusively(() => {
      const spec = this.#known(name);
      const rows = this.#rowsOf(spec, identity);
      const { now_ms } = this.#look();
      this.#ports.transact(now_ms, () => {
        for (const row of rows) {
          const changes = change(row, spec, now_ms);
          if (changes !== null) this.#rows.change(row.id, changes);
        }
      });
    });
  }

  #spec(job: string): JobSpec {
    const spec = this.#specs.get(job);
    assert(spec !== undefined, `the job '${job}' of a row is loaded`);
    return spec;
  }

  #known(name: string): JobSpec {
    const spec = this.#specs.get(name);
    if (spec !== undefined) return spec;
    throw new SottoError(
      'unknown_job',
      `There is no job '${name}'.${nearest(name, [...this.#specs.keys()])}`,
    );
  }

  #runnable(name: string): JobSpec {
    const spec = this.#known(name);
    if (spec.job !== null) return spec;
    throw new SottoError(
      'job_disabled',
      `Job '${name}' is switched off in ${spec.file}. Remove its 'enabled: false' first.`,
    );
  }

  /** The rows of a job, or the one of an identity. Throws if there is none. */
  #rowsOf(spec: JobSpec, identity: number | undefined): readonly ScheduleRow[] {
    const rows = this.#rows
      .of(spec.name)
      .filter((row) => identity === undefined || row.identity === identity);
    if (rows.length > 0) return rows;
    if (identity === undefined)
      throw new SottoError('no_network', `Job '${spec.name}' runs for each network, and there is none yet.`);
    const who =
      spec.for_each === 'node' ? 'once for the whole node (identity 0)' : 'for the identities of this node';
    throw new SottoError('no_identity', `Job '${spec.name}' runs ${who}, not for identity ${identity}.`);
  }

  #now(): number {
    return Math.floor(this.#ports.clock.wall_ms());
  }

  /** Nothing here runs inside itself: a job that reached the scheduler would not be a pure function. */
  #exclusively<T>(body: () => T): T {
    if (this.#busy)
      throw new SottoError(
        'scheduler_busy',
        'Expected one call into the scheduler at a time, got one from inside another.',
      );
    this.#busy = true;
    try {
      return body();
    } finally {
      this.#busy = false;
    }
  }
}
