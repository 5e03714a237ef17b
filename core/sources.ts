/**
 * The declarations of everything a protocol folder may hold besides event types and queries: commands, jobs, reflectors and projectors.
 * All are synchronous pure functions with the query first, then the input, then `ctx`; time, randomness and identity come in `ctx`.
 */
import { z } from 'zod';
import { SottoError } from './assert.ts';
import type { Envelope } from './envelope.ts';
import type { Event, EventType } from './event-type.ts';
import type { Id, Infer, Shape } from './fields.ts';
import type { Query } from './query.ts';

/** What every pure function may know of the world beyond the database. */
export interface Context {
  /** One time for the whole transaction, milliseconds since 1970. */
  readonly now_ms: number;
  /** Repeatable randomness: the same run gives the same bytes. */
  readonly random: (length: number) => Uint8Array;
  /** Who this runs as; null for work that concerns the whole node. */
  readonly me: { readonly device_id: Id; readonly network_id: Id | null } | null;
}

export interface JobContext extends Context {
  /** The occurrence this run is for, on the job's grid. */
  readonly scheduled_for_ms: number;
  /** Occurrences that passed without a run since the last one (sleep, stops). */
  readonly missed: number;
  /** 0 for the first try, then counting up. */
  readonly attempt: number;
}

export interface ReflectorContext extends Context {
  /** Whether the event came from another node or was made here. */
  readonly from: 'network' | 'here';
  /** The authenticated session it came through, if it did. Answer to this and to nothing that the event claims. */
  readonly session: { readonly session_id: string; readonly device_id: Id } | null;
}

export interface CommandContext extends Context {}

// --- jobs -----------------------------------------------------------------------------------------------------------------------------

export type JobFunction<P extends Shape = Shape> = (
  query: Query,
  params: Readonly<Infer<P>>,
  ctx: JobContext,
) => readonly Envelope[];

export interface JobOptions<P extends Shape> {
  readonly description: string;
  /** Parameters that `jobs.yaml` may (or must) give. */
  readonly params: P;
  /** Once per node, or once for each network (of each identity). `${NETWORK_ID}` in the parameters implies the latter. */
  readonly for_each?: 'node' | 'network';
  /** Destroys what cannot be had back: held while the clock is suspect. */
  readonly destructive?: boolean;
  /** Envelopes of a full batch: with `drain: true`, a run that returned this many is followed by another at once. */
  readonly batch?: number;
}

export interface Job<P extends Shape = Shape> extends JobFunction<P> {
  readonly kind: 'job';
  readonly options: JobOptions<P>;
  readonly check: z.ZodType<Infer<P>>;
}

/** Declares a job: runs because time passed. The result can be called like the function itself. */
export function job<const P extends Shape>(options: JobOptions<P>, run: JobFunction<P>): Job<P> {
  const callable: JobFunction<P> = (query, params, ctx) => run(query, params, ctx);
  return Object.freeze(
    Object.assign(callable, {
      kind: 'job' as const,
      options,
      check: z.strictObject(options.params) as unknown as z.ZodType<Infer<P>>,
    }),
  );
}

// --- reflectors -----------------------------------------------------------------------------------------------------------------------

export type ReflectorFunction<S extends Shape = Shape> = (
  query: Query,
  event: Event<S>,
  ctx: ReflectorContext,
) => readonly Envelope[];

export interface Reflector<S extends Shape = Shape> extends ReflectorFunction<S> {
  readonly kind: 'reflector';
  readonly on: EventType<string, S>;
}

/** Declares a reflector: runs because an event of type `on` became valid. Any number per type; the result can be called directly. */
export function reflector<S extends Shape>(
  on: EventType<string, S>,
  run: ReflectorFunction<S>,
): Reflector<S> {
  const callable: ReflectorFunction<S> = (query, event, ctx) => run(query, event, ctx);
  return Object.freeze(Object.assign(callable, { kind: 'reflector' as const, on }));
}

// --- commands -------------------------------------------------------------------------------------------------------------------------

export type CommandFunction<P extends Shape = Shape> = (
  query: Query,
  input: Readonly<Infer<P>>,
  ctx: CommandContext,
) => readonly Envelope[];

export interface CommandOptions<P extends Shape> {
  readonly description: string;
  readonly input: P;
  /**
   * `existing` (default): runs as one of this node's identities. `new`: a fresh device key is made first, in the same transaction, for the
   * network in `input.network_id` (or for one that the command founds).
   */
  readonly as?: 'existing' | 'new';
  /** Its events may have to wait for others to arrive. Without this, a command whose events cannot count at once is refused whole. */
  readonly may_wait?: boolean;
}

export interface Command<P extends Shape = Shape> extends CommandFunction<P> {
  readonly kind: 'command';
  readonly options: CommandOptions<P>;
  readonly check: z.ZodType<Infer<P>>;
}

/** Declares a command: runs because a user asked. To refuse, throw `refuse(code, message)`. */
export function command<const P extends Shape>(
  options: CommandOptions<P>,
  run: CommandFunction<P>,
): Command<P> {
  const callable: CommandFunction<P> = (query, input, ctx) => run(query, input, ctx);
  return Object.freeze(
    Object.assign(callable, {
      kind: 'command' as const,
      options,
      check: z.strictObject(options.input) as unknown as z.ZodType<Infer<P>>,
    }),
  );
}

/** A refusal that its caller shall read: thrown in commands. `message` must not quote content. */
export function refuse(code: string, message: string): SottoError {
  return new SottoError(code, message);
}

// --- projectors -----------------------------------------------------------------------------------------------------------------------

/** One change to a row. `identity` and `event` columns are filled in by the runtime; ids are given in hex, for `REFERENCES event` columns too. */
export type RowWrite =
  | {
      readonly write: 'insert' | 'insert_once' | 'upsert';
      readonly table: string;
      readonly row: Readonly<Record<string, unknown>>;
      readonly key?: readonly string[];
    }
  | { readonly write: 'remove'; readonly table: string; readonly where: Readonly<Record<string, unknown>> };

/** A named condition of validity. False rejects the event with the rule's name. */
export type Rule<S extends Shape = Shape> = (query: Query, event: Event<S>, ctx: Context) => boolean;

export interface Projector<S extends Shape = Shape> {
  readonly kind: 'projector';
  readonly of: EventType<string, S>;
  /** Checked in order before the event counts. */
  readonly rules: Readonly<Record<string, Rule<S>>>;
  readonly project: (query: Query, event: Event<S>, ctx: Context) => readonly RowWrite[];
}

/** Declares what makes an event of a type valid and which rows it becomes. */
export function projector<S extends Shape>(
  of: EventType<string, S>,
  definition: { rules?: Record<string, Rule<S>>; project: Projector<S>['project'] },
): Projector<S> {
  return Object.freeze({
    kind: 'projector' as const,
    of,
    rules: Object.freeze({ ...definition.rules }),
    project: definition.project,
  });
}

/** Adds a row; one that is there already is a bug. */
export const insert = (table: string, row: Record<string, unknown>): RowWrite => ({
  write: 'insert',
  table,
  row,
});
/** Adds a row unless an equal key is there. */
export const insertOnce = (table: string, row: Record<string, unknown>): RowWrite => ({
  write: 'insert_once',
  table,
  row,
});
/** Adds a row, or replaces the one with the same `key` columns. Only for local state: among synced events the order of arrival must not matter. */
export const upsert = (table: string, key: readonly string[], row: Record<string, unknown>): RowWrite => ({
  write: 'upsert',
  table,
  row,
  key,
});
/** Removes the rows that match. */
export const remove = (table: string, where: Record<string, unknown>): RowWrite => ({
  write: 'remove',
  table,
  where,
});
