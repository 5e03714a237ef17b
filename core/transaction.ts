/**
 * One transaction over the one SQLite file. Everything that changes a row happens inside one, with one time for all of it, and what must
 * reach the outside world (`AfterCommit`) does so only once it is durable.
 */
import type { AnyEnvelope, Cause, Envelope, Identity } from './envelope.ts';
import type { Id } from './fields.ts';

/**
 * What became of the envelopes that one source submitted, all generations together. `own`: of those themselves and of what
 * this node does to itself because of them. That others' events have to wait now, or that a peer's key is of no use, is no reason to take back
 * what led to it.
 */
export interface Submitted {
  /** Envelopes that ran through, counting what they led to. */
  readonly processed: number;
  readonly rejected: readonly {
    readonly rule: string;
    readonly type: string | null;
    readonly own: boolean;
  }[];
  readonly blocked: readonly {
    readonly rule: string;
    readonly missing: readonly Id[];
    readonly own: boolean;
  }[];
  /** Poisoned envelopes: rolled back alone, recorded by class and place. */
  readonly failed: readonly Failure[];
  /** Answers for the caller (see `AfterCommit` `reply`), merged. */
  readonly reply: Readonly<Record<string, unknown>>;
  /** Ids of the events that the submitted drafts became, in their order; null for drafts that became none. */
  readonly event_ids: readonly (Id | null)[];
}

export interface Failure {
  readonly error_class: string;
  readonly error_place: string;
  readonly handler: string;
  /** What our own errors say; null for foreign ones, whose words may quote what must not be seen. */
  readonly message: string | null;
  readonly own: boolean;
}

export interface Transaction {
  readonly now_ms: number;
  /** Runs `body` under a savepoint of its own. A throw rolls back what it did, effects included, and is thrown on. */
  savepoint<T>(body: () => T): T;
  /** Sends what a pure function returned through the pipeline, with everything it leads to. */
  submit(identity: Identity, cause: Cause, drafts: readonly Envelope[]): Submitted;
  /** Sends an envelope at a known stage (a frame from a session) through the pipeline. */
  inject(envelope: AnyEnvelope): Submitted;
}

/** Runs `body` in one transaction: all of it is durable when this returns, or (a throw) none of it happened. Not reentrant. */
export type Transact = <T>(now_ms: number, body: (transaction: Transaction) => T) => T;
