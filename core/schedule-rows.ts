/**
 * The scheduler's rows: every statement it runs, typed, and nothing that decides. `due` and `earliest` are all that an
 * idle node runs; both go straight to the front of the index on `next_due_ms`.
 */
import type { Db, SqlParams, SqlRow, Statement } from './db.ts';
import type { Id } from './fields.ts';
import { limits, NEVER_MS } from './limits.ts';

/** One job for one identity, or (identity 0) once for the whole node. */
export interface ScheduleRow {
  readonly id: number;
  readonly job: string;
  readonly identity: number;
  readonly network_id: Id | null;
  readonly grid: string;
  readonly occurrence_ms: number;
  readonly next_due_ms: number;
  readonly last_occurrence_ms: number | null;
  readonly disabled: boolean;
  readonly paused_since_ms: number | null;
  /** Due, but waiting for something else than time: the job it follows, or a clock that can be believed. */
  readonly parked: 'waiting' | 'held' | null;
  readonly attempt: number;
  readonly drained: number;
  readonly completed_pass: number;
  readonly last_run_ms: number | null;
  readonly last_failed_ms: number | null;
  readonly error_class: string | null;
  readonly error_place: string | null;
}

/** What happened in one run. */
export interface JobRun {
  readonly job: string;
  readonly identity: number;
  readonly network_id: Id | null;
  /** `hand`: run now, outside the grid. */
  readonly started_by: 'schedule' | 'hand';
  readonly scheduled_for_ms: number;
  readonly started_ms: number;
  readonly duration_ms: number;
  readonly missed: number;
  readonly attempt: number;
  readonly outcome: 'done' | 'failed';
  /** Envelopes that the job returned. */
  readonly emitted: number;
  /** Envelopes that ran through, counting what they led to. */
  readonly processed: number;
  readonly rejected: number;
  readonly blocked: number;
  /** Envelopes that broke a handler: rolled back alone, the run goes on. */
  readonly poisoned: number;
  /** Of the run if it failed, else of its first poisoned envelope. */
  readonly error_class: string | null;
  readonly error_place: string | null;
}

/** The columns that change in the life of a row. */
type Changes = Partial<Omit<ScheduleRow, 'id' | 'job' | 'identity' | 'network_id'>>;

const OF_JOB = 'job = :job AND identity = :identity';

export class ScheduleRows {
  readonly #db: Db;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Db) {
    this.#db = db;
  }

  // --- finding due work -----------------------------------------------------------------------------------------------

  /** When the first row is due; `NEVER_MS` if none is. */
  earliest(): number {
    return (this.#get('SELECT min(next_due_ms) AS earliest FROM job_schedule')?.earliest ??
      NEVER_MS) as number;
  }

  /**
   * The rows that are due, longest first, one transaction's worth. (The limit is part of the text: SQLite compiles a
   * statement again whenever a bound LIMIT is bound anew, which costs five times the search.)
   */
  due(now_ms: number): ScheduleRow[] {
    const sql = `SELECT * FROM job_schedule WHERE next_due_ms <= :now_ms ORDER BY next_due_ms, id LIMIT ${limits.due_batch_max}`;
    return this.#all(sql, { now_ms }).map(rowOf);
  }

  /** The rows that are due first, whether or not they are due yet; none of those that no time makes due. */
  upcoming(): ScheduleRow[] {
    return this.due(NEVER_MS - 1);
  }

  // --- rows -------------------------------------------------------------------------------------------------------------

  of(job: string): ScheduleRow[] {
    return this.#all('SELECT * FROM job_schedule WHERE job = :job ORDER BY identity', { job }).map(rowOf);
  }

  one(job: string, identity: number): ScheduleRow | null {
    const row = this.#get(`SELECT * FROM job_schedule WHERE ${OF_JOB}`, { job, identity });
    return row === undefined ? null : rowOf(row);
  }

  jobs(): string[] {
    return this.#all('SELECT DISTINCT job FROM job_schedule').map((row) => row.job as string);
  }

  add(
    row: Pick<
      ScheduleRow,
      'job' | 'identity' | 'network_id' | 'grid' | 'occurrence_ms' | 'next_due_ms' | 'disabled'
    >,
  ): void {
    this.#run(
      `INSERT INTO job_schedule (job, identity, network_id, grid, occurrence_ms, next_due_ms, disabled)
       VALUES (:job, :identity, :network_id, :grid, :occurrence_ms, :next_due_ms, :disabled)`,
      { ...row, network_id: blobOf(row.network_id), disabled: Number(row.disabled) },
    );
  }

  change(id: number, changes: Changes): void {
    const columns = Object.keys(changes).map((column) => `${column} = :${column}`);
    const values =
      changes.disabled === undefined ? changes : { ...changes, disabled: Number(changes.disabled) };
    this.#run(`UPDATE job_schedule SET ${columns.join(', ')} WHERE id = :id`, {
      ...(values as SqlParams),
      id,
    });
  }

  /** Removes a row with its history. */
  remove(job: string, identity: number): void {
    this.#run(`DELETE FROM job_schedule WHERE ${OF_JOB}`, { job, identity });
    this.#run(`DELETE FROM job_run WHERE ${OF_JOB}`, { job, identity });
  }

  // --- rows that wait -----------------------------------------------------------------------------------------------------

  /** Makes parked rows due again: those that wait for a job, or all that are held. */
  unpark(parked: 'waiting' | 'held', now_ms: number): void {
    this.#run('UPDATE job_schedule SET parked = NULL, next_due_ms = :now_ms WHERE parked = :parked', {
      parked,
      now_ms,
    });
  }

  /** As `unpark`, for one follower: of one identity, or (null) of all. */
  wake(follower: string, identity: number | null, now_ms: number): void {
    this.#run(
      `UPDATE job_schedule SET parked = NULL, next_due_ms = :now_ms
       WHERE job = :follower ${identity === null ? '' : 'AND identity = :identity'} AND parked = 'waiting'`,
      { follower, identity, now_ms },
    );
  }

  /** Whether a run of `job` is open, or has not completed since pass `since`: for one identity, or (null) for any. */
  isBehind(job: string, identity: number | null, since: number, now_ms: number): boolean {
    const row = this.#get(
      `SELECT 1 AS behind FROM job_schedule
       WHERE job = :job ${identity === null ? '' : 'AND identity = :identity'}
         AND (completed_pass <= :since OR next_due_ms <= :now_ms OR attempt > 0 OR parked IS NOT NULL) LIMIT 1`,
      { job, identity, since, now_ms },
    );
    return row !== undefined;
  }

  /** How many rows are held because of a suspect clock. */
  heldCount(): number {
    return this.#get("SELECT count(*) AS held FROM job_schedule WHERE parked = 'held'")?.held as number;
  }

  /** After the clock went back: rows of a job that are due later than `latest_ms` are due at `due_ms`, retries at once. */
  bringForward(job: string, latest_ms: number, due_ms: number, now_ms: number): void {
    this.#run(
      `UPDATE job_schedule SET next_due_ms = :due_ms
       WHERE job = :job AND attempt = 0 AND next_due_ms > :latest_ms AND next_due_ms < ${NEVER_MS}`,
      { job, latest_ms, due_ms },
    );
    this.#run(
      `UPDATE job_schedule SET next_due_ms = :now_ms
       WHERE job = :job AND attempt > 0 AND next_due_ms > :retry_by_ms AND next_due_ms < ${NEVER_MS}`,
      { job, now_ms, retry_by_ms: now_ms + limits.retry_ms_max },
    );
  }

  // --- passes and runs ------------------------------------------------------------------------------------------------------

  pass(): number {
    return this.#get('SELECT pass FROM scheduler_clock')?.pass as number;
  }

  setPass(pass: number): void {
    this.#run('UPDATE scheduler_clock SET pass = :pass', { pass });
  }

  /** Records a run, and forgets the ones beyond `limits.run_rows_max` of the same job and identity. */
  addRun(run: JobRun): void {
    const columns = Object.keys(run);
    const values = { ...run, network_id: blobOf(run.network_id) };
    this.#run(
      `INSERT INTO job_run (${columns.join(', ')}) VALUES (${columns.map((column) => `:${column}`).join(', ')})`,
      values as SqlParams,
    );
    this.#run(
      `DELETE FROM job_run WHERE ${OF_JOB} AND id <=
         (SELECT id FROM job_run WHERE ${OF_JOB} ORDER BY id DESC LIMIT 1 OFFSET ${limits.run_rows_max})`,
      { job: run.job, identity: run.identity },
    );
  }

  /** The newest runs first; of one job, or (null) of all. */
  runs(job: string | null, count: number): JobRun[] {
    const sql = `SELECT * FROM job_run ${job === null ? '' : 'WHERE job = :job'} ORDER BY id DESC LIMIT :count`;
    return this.#all(sql, { job, count }).map(
      ({ id: _, ...row }) => ({ ...row, network_id: idOf(row.network_id) }) as unknown as JobRun,
    );
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, params: SqlParams): void {
    this.#statement(sql).run(params);
  }

  #get(sql: string, params?: SqlParams): SqlRow | undefined {
    return this.#statement(sql).get(params);
  }

  #all(sql: string, params?: SqlParams): SqlRow[] {
    return this.#statement(sql).all(params);
  }
}

const idOf = (value: unknown): Id | null => (value instanceof Uint8Array ? value.toHex() : null);
const blobOf = (id: Id | null): Uint8Array | null => (id === null ? null : Uint8Array.fromHex(id));

function rowOf(row: SqlRow): ScheduleRow {
  return { ...row, network_id: idOf(row.network_id), disabled: row.disabled === 1 } as unknown as ScheduleRow;
}
