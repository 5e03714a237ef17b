/**
 * A handler is one step of the pipeline: it takes envelopes of one stage, and answers each with an outcome. It is the only kind of code
 * that holds the writing connection; it runs inside the pipeline's transaction and never begins or ends one.
 */
import type { Random } from './clock.ts';
import type { Db, Statement } from './db.ts';
import type { AnyEnvelope, EnvelopeAt, EventDraft, Identity, InstructionDraft, Stage } from './envelope.ts';
import type { Id } from './fields.ts';
import type { Outcome } from './outcome.ts';
import type { Protocol } from './protocol.ts';
import type { PureRunner, PureScope } from './pure.ts';

export interface Remembering<T> {
  readonly keep?: (value: T) => boolean;
  readonly wipe?: (value: T) => void;
}

export interface HandlerContext {
  readonly db: Db;
  readonly protocol: Protocol;
  /** One time for the whole transaction. */
  readonly now_ms: number;
  readonly random: Random;
  /** Runs rules, projectors and reflectors: read-only, guarded, named errors. */
  readonly pure: PureRunner;
  /** Secrets that the host holds for the length of a command (an invite's, say), by handle. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** What drafts became: event ids, or public keys of keypair instructions. Lives as long as the transaction. */
  readonly draft_ids: Map<EventDraft | InstructionDraft, Id>;
  /** Compiled once per connection and text. */
  statement(sql: string): Statement;
  /**
   * What `make` gives, looked up once for many envelopes: kept (if `keep` holds of it) until something is processed that can change who belongs, what
   * is alive or which keys are held, and at the longest until the transaction ends. `wipe` is called when it is dropped.
   */
  remembered<T>(name: string, make: () => T, options?: Remembering<T>): T;
  /** Adds to a counter by name: what was refused, and why. */
  count(name: string, by?: number): void;
  /** Records a failure that must not undo the envelope at hand (a reflector's), by class and place. */
  failed(what: string, thrown: unknown): void;
  /** What a pure function that runs as `identity` may see. */
  scope(identity: Identity): PureScope;
}

export interface Handler<In extends Stage = Stage, Out extends Stage = Stage> {
  readonly name: string;
  readonly takes: In;
  /** The stages its `advance` may lead to. */
  readonly gives: readonly Out[];
  /** Narrows by class, effect or origin; without it, every envelope of the stage. */
  readonly accepts?: (envelope: EnvelopeAt<In>) => boolean;
  readonly process: (envelope: EnvelopeAt<In>, context: HandlerContext) => Outcome<EnvelopeAt<NoInfer<Out>>>;
}

/** Declares a handler. */
export function handler<const In extends Stage, const Out extends Stage>(
  definition: Handler<In, Out>,
): Handler<In, Out> {
  return Object.freeze(definition);
}

/** Stages that come from outside the pipeline: no handler needs to produce them. */
export type SourceStage = 'frame' | 'outgoing' | 'instruction';

type Ordered<Handlers extends readonly unknown[], Available extends Stage> = Handlers extends readonly [
  infer First extends { readonly takes: Stage; readonly gives: readonly Stage[] },
  ...infer Rest,
]
  ? First['takes'] extends Available
    ? Ordered<Rest, Available | First['gives'][number]>
    : { readonly handler_before_its_stage_exists: First['takes'] }
  : unknown;

/** A handler of any stages, as the pipeline runs it. */
export interface AnyHandler {
  readonly name: string;
  readonly takes: Stage;
  readonly gives: readonly Stage[];
  readonly accepts?: (envelope: never) => boolean;
  readonly process: (envelope: never, context: HandlerContext) => Outcome;
}

/**
 * The order of handlers. A handler that takes a stage which no handler above it gives (and which no source makes) is a type error.
 * `source` lists stages besides the usual ones that come from elsewhere (`received`, `verified`: events that waited in the database).
 */
export function pipelineOf<const Handlers extends readonly AnyHandler[]>(
  handlers: Handlers & Ordered<Handlers, SourceStage>,
): readonly AnyHandler[] {
  return Object.freeze([...handlers]);
}

/** What the pipeline asks of a protocol besides its handlers. */
export interface PipelineDefinition {
  readonly handlers: readonly AnyHandler[];
  /** Registers the SQL functions that the protocol's queries use; called once per connection, before any query is compiled. */
  readonly install?: (db: Db) => void;
  /** Asked once, when the engine starts: what this version can do more with than the one that stored it. */
  readonly adopt?: (context: HandlerContext) => readonly AnyEnvelope[];
  /** Asked before a transaction that took envelopes in is committed, once: what is kept up to date for all of it together. */
  readonly before_commit?: (context: HandlerContext) => void;
  /** Rows that the query planner is to expect, by table and index, as in `sqlite_stat1`. */
  readonly estimates?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Tables that no query and no other SQL may name: secrets are read by handlers, and by views that show what they open. */
  readonly secret_tables?: readonly string[];
  /** Told of each rejection, in the transaction: to remember ids that must not be fetched again. */
  readonly rejected?: (envelope: AnyEnvelope, rule: string, context: HandlerContext) => void;
}
