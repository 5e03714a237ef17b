/** How jobs, their runs, envelopes and the trace are shown. */

export interface JobView {
  readonly name: string;
  readonly function: string;
  readonly identity: number;
  readonly network_id: string | null;
  readonly enabled: boolean;
  readonly paused: boolean;
  /** As written: `every 3 s`, `cron 0 3 * * *`. */
  readonly schedule: string;
  readonly next_due_ms: number | null;
  readonly last_run_ms: number | null;
  readonly attempt: number;
}

export interface JobRunView {
  readonly job: string;
  readonly network_id: string | null;
  readonly scheduled_for_ms: number;
  readonly started_ms: number;
  readonly duration_us: number;
  readonly emitted: number;
  readonly missed: number;
  readonly outcome: string;
  readonly error: string | null;
}

/** An envelope as a preview shows it: content only by length. */
export interface EnvelopeView {
  readonly envelope: string;
  readonly type: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TraceView {
  readonly entry: number;
  readonly at_ms: number;
  readonly envelope: number;
  readonly identity: number;
  readonly cause: string;
  readonly depth: number;
  readonly handler: string;
  readonly stage: string;
  readonly type: string | null;
  readonly event_id: string | null;
  readonly outcome: string;
  readonly why: string | null;
  readonly duration_us: number;
}
