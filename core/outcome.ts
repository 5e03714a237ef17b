/**
 * What a handler may answer: a closed union. A handler never throws for bad input and never changes an envelope in place.
 */
import type { AnyEnvelope, Envelope, Identity } from './envelope.ts';
import type { Id } from './fields.ts';

/**
 * Work for the host after the transaction has committed. Whatever of it a crash loses must be made up for by state: lost sends by the
 * next sync round, lost `changed` by the client's reconnect.
 */
export type AfterCommit =
  /** Bytes of one frame item for a session. */
  | {
      readonly effect: 'send';
      readonly identity: Identity;
      readonly session_id: string;
      readonly item: Uint8Array;
      /** What follows for this session comes in another frame. */
      readonly ends_frame?: boolean;
    }
  /** Tells subscribers that something became visible or went. */
  | {
      readonly effect: 'changed';
      readonly identity: Identity;
      readonly type: string;
      readonly event_id: Id | null;
    }
  /** An answer for the caller of the command that caused this: may hold a secret, and goes nowhere else. */
  | { readonly effect: 'reply'; readonly value: Readonly<Record<string, unknown>> }
  /** Whose events count has changed: sessions with devices that were removed end. */
  | { readonly effect: 'standing_changed'; readonly identity: Identity }
  /** Secrets were erased: the host sees to it that no copy is left, and has it receipted. Lost by a crash, it is owed by the open intents. */
  | { readonly effect: 'purged' }
  /** Identities or networks came or went: schedules and listeners are to be brought up to date. */
  | { readonly effect: 'identities_changed' };

export type Outcome<Next extends AnyEnvelope = AnyEnvelope> =
  /** Goes on to the handlers further down, as `envelope`; `follows` are further envelopes that this one makes due. */
  | {
      readonly outcome: 'advance';
      readonly envelope: Next;
      readonly follows?: readonly Follow[];
      readonly after?: readonly AfterCommit[];
    }
  /** Waits in the database until every id in `missing` is valid. */
  | { readonly outcome: 'block'; readonly missing: readonly Id[]; readonly rule: string }
  /** Will never count (or not from this sender). `rule` is the name of what it broke. */
  | { readonly outcome: 'reject'; readonly rule: string }
  /** Known already. */
  | { readonly outcome: 'duplicate' }
  /** Has turned into other envelopes (none is fine) and ends here. */
  | {
      readonly outcome: 'emit';
      readonly follows: readonly Follow[];
      readonly after?: readonly AfterCommit[];
    };

/** A further envelope: either one that a pure function returned (the pipeline wraps it) or one at a known stage. */
export type Follow =
  | {
      readonly envelope: AnyEnvelope;
      /** Runs once, after everything else that was submitted, however often it is asked for under this name. */
      readonly once?: string;
    }
  | { readonly emitted: Envelope; readonly by: { readonly name: string; readonly event_id: Id | null } };

export const advance = <Next extends AnyEnvelope>(
  envelope: Next,
  more: { follows?: readonly Follow[]; after?: readonly AfterCommit[] } = {},
): Outcome<Next> => ({ outcome: 'advance', envelope, ...more });
export const reject = (rule: string): Outcome<never> => ({ outcome: 'reject', rule });
export const block = (rule: string, missing: readonly Id[]): Outcome<never> => ({
  outcome: 'block',
  missing,
  rule,
});
export const duplicate: Outcome<never> = { outcome: 'duplicate' };
export const emit = (follows: readonly Follow[], after: readonly AfterCommit[] = []): Outcome<never> => ({
  outcome: 'emit',
  follows,
  after,
});
