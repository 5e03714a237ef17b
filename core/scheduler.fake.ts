/**
 * A world for scheduler tests: a clock to turn by hand, jobs that do what a test says, and a `Transact` over a real
 * database that writes down what was submitted, so that a test sees what survived a rollback or a crash.
 */
import type { Witness } from './clock-guard.ts';
import { loadJobs } from './config.ts';
import type { Db, SqlParams } from './db.ts';
import { type Envelope, instruct } from './envelope.ts';
import { eventType } from './event-type.ts';
import { integer, type Shape } from './fields.ts';
import type { Occurrence } from './job-run.ts';
import type { Registered } from './protocol.ts';
import { JobScheduler, type SchedulerPorts } from './scheduler.ts';
import { type Job, type JobOptions, job } from './sources.ts';
import type { Submitted, Transact } from './transaction.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** 2026-01-01T00:00:00Z: on the grid of every period that tests use. */
export const START = 1_767_225_600_000;

export const networkId = (number: number) => number.toString(16).padStart(64, '0');

const NOTE = eventType({
  name: 'note',
  class: 'local',
  description: 'For tests.',
  body: { number: integer() },
});

/** Envelopes to return from a job. */
export const notes = (count: number): readonly Envelope[] =>
  Array.from({ length: count }, (_, number) => instruct(NOTE, { number }));

export interface Ran extends Occurrence {
  readonly job: string;
  readonly identity: number;
  readonly params: Record<string, unknown>;
}

export class World {
  readonly db: Db;
  readonly clock = { wall: START, monotonic: 5_000 };
  readonly jobs = new Map<string, Registered<Job>>();
  /** Every time a job's function was called, also where the run was rolled back. */
  readonly ran: Ran[] = [];
  identities: { identity: number; network_id: string }[] = [];
  witnesses: Witness[] = [];
  others = 2;
  env: Record<string, string> = {};
  /** Envelopes with these numbers break a handler. */
  poisoned = 0;
  scheduler!: JobScheduler;
  #yaml = '';

  /** `open` is called again at each restart: a process that begins anew on the same file. */
  constructor(db: Db) {
    this.db = db;
    db.exec(
      'CREATE TABLE IF NOT EXISTS submitted (job TEXT, identity INTEGER, scheduled_for_ms INTEGER, now_ms INTEGER)',
    );
  }

  /** A job function, `<name>_job`, that does `body`. */
  job(
    name: string,
    body: (occurrence: Occurrence, params: never) => readonly Envelope[] = () => notes(1),
    options: Partial<JobOptions<Shape>> = {},
  ): this {
    const value = job({ description: name, params: {}, ...options }, (_query, params, ctx) =>
      body(ctx, params as never),
    );
    this.jobs.set(`${name}_job`, { name: `${name}_job`, file: `jobs/${name}.ts`, value: value as Job });
    return this;
  }

  load(yaml: string): this {
    this.#yaml = yaml;
    const specs = loadJobs(
      [{ name: 'jobs.yaml', file: 'jobs.yaml', value: yaml }],
      { jobs: this.jobs },
      this.env,
    );
    this.scheduler ??= new JobScheduler(this.#ports());
    this.scheduler.load(specs);
    return this;
  }

  /** A new process on the same database; its monotonic clock begins anew. */
  restart(): this {
    this.scheduler = undefined as never;
    this.clock.monotonic = 77;
    return this.load(this.#yaml);
  }

  /** Time passes, as the machine's clocks both notice. */
  pass(ms: number): this {
    this.clock.wall += ms;
    this.clock.monotonic += ms;
    return this;
  }

  /** The wall clock jumps; no time passes. */
  jump(ms: number): this {
    this.clock.wall += ms;
    return this;
  }

  /** Time passes, then a pass over what is due. */
  tick(ms = 0) {
    this.pass(ms);
    return this.scheduler.runDueJobs();
  }

  /** Names in the order of their runs since the last call. */
  takeRan(): string[] {
    return this.ran.splice(0).map((ran) => (ran.identity === 0 ? ran.job : `${ran.job}@${ran.identity}`));
  }

  /** `job`, and when it was for, of what was submitted and is durable. */
  submitted(): { job: string; identity: number; for_ms: number }[] {
    return this.db
      .prepare('SELECT * FROM submitted ORDER BY rowid')
      .all()
      .map((row) => ({
        job: row.job as string,
        identity: row.identity as number,
        for_ms: (row.scheduled_for_ms as number) - START,
      }));
  }

  rows(table: 'job_schedule' | 'job_run' | 'scheduler_clock') {
    return this.db.prepare(`SELECT * FROM ${table} ORDER BY id`).all();
  }

  row(job: string, identity = 0) {
    const found = this.rows('job_schedule').find((row) => row.job === job && row.identity === identity);
    if (found === undefined) throw new Error(`no row of ${job} for ${identity}`);
    return found;
  }

  #ports(): SchedulerPorts {
    return {
      db: this.db,
      clock: { wall_ms: () => this.clock.wall, monotonic_ms: () => this.clock.monotonic },
      random: { bytes: (length) => new Uint8Array(length).fill(255) },
      transact: transactOver(this.db, () => this.poisoned),
      identities: () => this.identities,
      witnesses: () => this.witnesses,
      other_users: () => this.others,
      run_job: (registered, params, identity, occurrence) => {
        const name = registered.name.replace(/_job$/, '');
        this.ran.push({ job: name, identity, params, ...occurrence });
        const ctx = { ...occurrence, random: (length: number) => new Uint8Array(length), me: null };
        return registered.value((() => []) as never, params, ctx);
      },
    };
  }
}

/** BEGIN, COMMIT and SAVEPOINT as the real one does; submitting an envelope writes a row. */
function transactOver(db: Db, poisoned: () => number): Transact {
  const quietly = (sql: string) => {
    try {
      db.exec(sql);
    } catch {
      // The database is gone: whoever reopens it finds the transaction rolled back.
    }
  };
  return (now_ms, body) => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = body({
        now_ms,
        savepoint: (inner) => {
          db.exec('SAVEPOINT source');
          try {
            const returned = inner();
            db.exec('RELEASE source');
            return returned;
          } catch (thrown) {
            quietly('ROLLBACK TO source');
            quietly('RELEASE source');
            throw thrown;
          }
        },
        submit: (identity, cause, drafts) => {
          const good = drafts.slice(poisoned());
          const scheduled_for_ms = cause.kind === 'job' ? cause.scheduled_for_ms : null;
          const params: SqlParams = {
            job: (cause as { name: string }).name,
            identity,
            scheduled_for_ms,
            now_ms,
          };
          for (const _ of good)
            db.prepare('INSERT INTO submitted VALUES (:job, :identity, :scheduled_for_ms, :now_ms)').run(
              params,
            );
          return submittedOf(good.length, drafts.length - good.length);
        },
        inject: () => submittedOf(0, 0),
      });
      db.exec('COMMIT');
      return result;
    } catch (thrown) {
      quietly('ROLLBACK');
      throw thrown;
    }
  };
}

function submittedOf(processed: number, failed: number): Submitted {
  const failure = {
    error_class: 'TypeError',
    error_place: 'handlers/open.ts:1:1',
    handler: 'open',
    message: null,
    own: true,
  };
  return {
    processed,
    rejected: [],
    blocked: [],
    failed: Array.from({ length: failed }, () => failure),
    reply: {},
    event_ids: [],
  };
}

/** A database that fails at the `at`th call of a statement (counted from 1) and at every later one, as if the process had died. */
export function failingAt(db: Db, at: number): { db: Db; calls: () => number } {
  let calls = 0;
  const count = <T>(call: () => T): T => {
    if (++calls >= at) throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
    return call();
  };
  const failing: Db = {
    ...db,
    exec: (sql) => count(() => db.exec(sql)),
    prepare: (sql) => {
      const { run, get, all } = db.prepare(sql);
      return {
        run: (params) => count(() => run(params)),
        get: (params) => count(() => get(params)),
        all: (params) => count(() => all(params)),
      };
    },
  };
  return { db: failing, calls: () => calls };
}
