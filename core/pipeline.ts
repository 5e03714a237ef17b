/**
 * The pipeline: takes envelopes through the protocol's handlers, in their order, inside one transaction.
 *
 * Each envelope has a savepoint of its own, so that a poisoned one is rolled back and recorded while the others go on. What an envelope leads
 * to follows it at once, within bounds on depth and number. Effects on the outside world wait until the commit.
 */
import { assert, placeOf, SottoError } from './assert.ts';
import type { Clock, Random } from './clock.ts';
import { type Db, isStorageFault, type Statement } from './db.ts';
import type { AnyEnvelope, Cause, Envelope, EventDraft, Identity, InstructionDraft } from './envelope.ts';
import type { Id } from './fields.ts';
import type { AnyHandler, HandlerContext } from './handler.ts';
import { limits } from './limits.ts';
import { Memory } from './memory.ts';
import type { AfterCommit, Follow, Outcome } from './outcome.ts';
import type { Protocol } from './protocol.ts';
import type { PureRunner, PureScope } from './pure.ts';
import { shownOf, type Trace } from './trace.ts';
import type { Failure, Submitted, Transact, Transaction } from './transaction.ts';

export interface PipelinePorts {
  readonly db: Db;
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly random: Random;
  readonly pure: PureRunner;
  readonly trace: Trace;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Called once per commit with what is to happen now that it is durable. */
  readonly after_commit: (effects: readonly AfterCommit[]) => void;
  readonly scope: (identity: Identity, now_ms: number) => PureScope;
}

interface Tally {
  processed: number;
  readonly rejected: { rule: string; type: string | null; own: boolean }[];
  readonly blocked: { rule: string; missing: readonly Id[]; own: boolean }[];
  readonly failed: Failure[];
  reply: Record<string, unknown>;
}

/** What an envelope leads to: at once, or once at the end of all. */
interface LedTo {
  readonly at_once: AnyEnvelope[];
  readonly once: Map<string, AnyEnvelope>;
}

export class Pipeline {
  /** What was refused or failed since the start, by name of the reason. */
  readonly counters = new Map<string, number>();
  /** Transactions that were committed since the start: as long as it is the same, so are the rows. */
  commits = 0;
  readonly #ports: PipelinePorts;
  readonly #statements = new Map<string, Statement>();
  readonly #handlers: readonly AnyHandler[];
  #effects: AfterCommit[] = [];
  #open = false;
  #rollback_owed = false;
  #envelopes = 0;
  readonly #memory = new Memory();
  /** Failures that handlers reported and survived, until the trace has them. */
  readonly #noted: { what: string; why: string }[] = [];

  constructor(ports: PipelinePorts) {
    this.#ports = ports;
    this.#handlers = ports.protocol.pipeline.handlers;
  }

  readonly transact: Transact = (now_ms, body) => {
    assert(!this.#open, 'no transaction is open when another begins');
    if (this.#rollback_owed) this.#rollback();
    this.#statement('BEGIN IMMEDIATE').run();
    this.#rollback_owed = false;
    this.#open = true;
    this.#effects = [];
    let result: ReturnType<typeof body>;
    try {
      const taken_in = this.#envelopes;
      result = body(this.#transaction(now_ms));
      if (this.#envelopes !== taken_in)
        this.#ports.protocol.pipeline.before_commit?.(this.#context(now_ms, new Map()));
      this.#statement('COMMIT').run();
      this.commits += 1;
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    } finally {
      this.#open = false;
      this.#memory.forget();
    }
    const effects = this.#effects;
    this.#effects = [];
    if (effects.length > 0) this.#ports.after_commit(effects);
    return result;
  };

  /** Takes up what an earlier version could not make use of (see `PipelineDefinition.adopt`). */
  adopt(now_ms: number): void {
    const { adopt } = this.#ports.protocol.pipeline;
    if (adopt === undefined) return;
    this.transact(now_ms, () => {
      const context = this.#context(now_ms, new Map());
      this.#drain(adopt(context), context);
    });
  }

  #rollback(): void {
    this.#effects = [];
    this.#rollback_owed = true;
    try {
      this.#statement('ROLLBACK').run();
      this.#rollback_owed = false;
    } catch {
      // Either SQLite has rolled back by itself (disk full, I/O error) and there is nothing left to do; or the storage is still failing, and the
      // next transaction tries again. The first error is the one to report.
    }
  }

  #transaction(now_ms: number): Transaction {
    const draft_ids: HandlerContext['draft_ids'] = new Map();
    const context = this.#context(now_ms, draft_ids);
    return {
      now_ms,
      savepoint: (body) => this.#savepoint('source', body),
      submit: (identity, cause, drafts) => {
        const queue = drafts.map((draft) => wrap(draft, identity, cause, 0));
        return {
          ...this.#drain(queue, context),
          event_ids: drafts.map((draft) => idOfDraft(draft, draft_ids)),
        };
      },
      inject: (envelope) => ({ ...this.#drain([envelope], context), event_ids: [] }),
    };
  }

  #context(now_ms: number, draft_ids: Map<EventDraft | InstructionDraft, Id>): HandlerContext {
    const { db, protocol, random, pure, secrets } = this.#ports;
    return {
      db,
      protocol,
      now_ms,
      random,
      pure,
      secrets,
      draft_ids,
      statement: (sql) => this.#statement(sql),
      count: (name, by = 1) => this.#count(name, by),
      failed: (what, thrown) => {
        const { error_class, error_place } = placeOf(thrown);
        this.#count(`failed:${error_class}`);
        this.#noted.push({
          what,
          why:
            thrown instanceof SottoError
              ? `${error_class}: ${thrown.message}`
              : `${error_class} at ${error_place}`,
        });
      },
      remembered: (name, make, options) => this.#memory.recall(name, make, options),
      scope: (identity) =>
        this.#memory.recall(`scope ${identity}`, () => this.#ports.scope(identity, now_ms)),
    };
  }

  /**
   * Runs envelopes in their order, each with all it leads to before the next: what a frame's first event makes possible holds for its second.
   * A stack instead of recursion, so that no chain is too long.
   */
  #drain(envelopes: readonly AnyEnvelope[], context: HandlerContext): Omit<Submitted, 'event_ids'> {
    const tally: Tally = { processed: 0, rejected: [], blocked: [], failed: [], reply: {} };
    const stack = envelopes.toReversed();
    const submitted = new Set(envelopes);
    const once = new Map<string, AnyEnvelope>();
    const next = (): AnyEnvelope | undefined => {
      if (stack.length > 0) return stack.pop();
      const [last] = once;
      if (last === undefined) return undefined;
      once.delete(last[0]);
      return last[1];
    };
    for (let envelope = next(); envelope !== undefined; envelope = next()) {
      if (tally.processed >= limits.fan_out_max) {
        this.#refuse(envelope, 'fan_out_exceeded', tally);
        break;
      }
      tally.processed += 1;
      const led_to: LedTo = { at_once: [], once: new Map() };
      const own = submitted.has(envelope) || envelope.stage === 'instruction';
      this.#take(envelope, context, led_to, tally, own);
      stack.push(...led_to.at_once.reverse());
      for (const [name, last] of led_to.once) once.set(name, last);
    }
    return tally;
  }

  /** One envelope, from the first handler that takes it to its outcome, under a savepoint. */
  #take(first: AnyEnvelope, context: HandlerContext, led_to: LedTo, tally: Tally, own: boolean): void {
    const number = this.#envelopes++;
    let envelope = first;
    let at = 'pipeline';
    const effects_before = this.#effects.length;
    try {
      this.#savepoint('envelope', () => {
        let handled = false;
        for (const handler of this.#handlers) {
          if (handler.takes !== envelope.stage || handler.accepts?.(envelope as never) === false) continue;
          handled = true;
          at = handler.name;
          if (changesFacts(envelope)) this.#memory.stop();
          const started = this.#ports.clock.monotonic_ms();
          const outcome = handler.process(envelope as never, context);
          this.#traceStep(number, envelope, handler.name, outcome, context.now_ms, started);
          for (const { what, why } of this.#noted.splice(0))
            this.#traceEnd(number, envelope, what, 'failed', why, context.now_ms);
          const ends = this.#settle(envelope, outcome, context, led_to, tally, own);
          if (ends) return;
          envelope = (outcome as Outcome & { outcome: 'advance' }).envelope;
        }
        assert(
          handled && envelope.stage === 'valid',
          `some handler takes ${envelope.stage} envelopes like this one to their end`,
        );
      });
    } catch (thrown) {
      this.#memory.forget();
      if (isStorageFault(thrown)) throw thrown;
      this.#effects.length = effects_before;
      led_to.at_once.length = 0;
      led_to.once.clear();
      const place = placeOf(thrown);
      tally.failed.push({
        ...place,
        handler: at,
        message: thrown instanceof SottoError ? thrown.message : null,
        own,
      });
      this.#count(`failed:${place.error_class}`);
      const why =
        thrown instanceof SottoError
          ? `${place.error_class}: ${thrown.message}`
          : `${place.error_class} at ${place.error_place}`;
      this.#traceEnd(number, envelope, at, 'failed', why, context.now_ms);
    } finally {
      this.#memory.go();
    }
  }

  /** Acts on an outcome. True when the envelope ends with it. */
  #settle(
    envelope: AnyEnvelope,
    outcome: Outcome,
    context: HandlerContext,
    led_to: LedTo,
    tally: Tally,
    own: boolean,
  ): boolean {
    switch (outcome.outcome) {
      case 'advance':
        this.#follow(envelope, outcome.follows ?? [], outcome.after ?? [], led_to, tally);
        return false;
      case 'emit':
        this.#follow(envelope, outcome.follows, outcome.after ?? [], led_to, tally);
        return true;
      case 'block':
        tally.blocked.push({ rule: outcome.rule, missing: outcome.missing, own });
        this.#count(`blocked:${outcome.rule}`);
        return true;
      case 'reject':
        tally.rejected.push({ rule: outcome.rule, type: shownOf(envelope).type, own });
        this.#count(`rejected:${outcome.rule}`);
        this.#ports.protocol.pipeline.rejected?.(envelope, outcome.rule, context);
        return true;
      case 'duplicate':
        this.#count('duplicate');
        return true;
    }
  }

  #follow(
    envelope: AnyEnvelope,
    follows: readonly Follow[],
    after: readonly AfterCommit[],
    led_to: LedTo,
    tally: Tally,
  ): void {
    for (const effect of after) {
      if (effect.effect === 'reply') Object.assign(tally.reply, effect.value);
      else this.#effects.push(effect);
    }
    for (const follow of follows) {
      if ('envelope' in follow) {
        if (follow.once === undefined) led_to.at_once.push(follow.envelope);
        else led_to.once.set(follow.once, follow.envelope);
        continue;
      }
      const cause: Cause = { kind: 'reflector', name: follow.by.name, event_id: follow.by.event_id };
      const next = wrap(follow.emitted, envelope.identity, cause, envelope.depth + 1);
      if (next.depth > limits.depth_max) this.#refuse(next, 'depth_exceeded', tally);
      else led_to.at_once.push(next);
    }
  }

  /** Refuses an envelope before any handler sees it, with the limit's name. */
  #refuse(envelope: AnyEnvelope, rule: string, tally: Tally): void {
    tally.rejected.push({ rule, type: shownOf(envelope).type, own: true });
    this.#count(`rejected:${rule}`);
    this.#traceEnd(this.#envelopes++, envelope, 'pipeline', 'reject', rule, this.#ports.clock.wall_ms());
  }

  #savepoint<T>(name: 'source' | 'envelope', body: () => T): T {
    const effects_before = this.#effects.length;
    this.#statement(`SAVEPOINT ${name}`).run();
    let result: T;
    try {
      result = body();
    } catch (thrown) {
      this.#effects.length = effects_before;
      this.#memory.forget();
      if (!isStorageFault(thrown)) {
        this.#statement(`ROLLBACK TO ${name}`).run();
        this.#statement(`RELEASE ${name}`).run();
      }
      throw thrown;
    }
    this.#statement(`RELEASE ${name}`).run();
    return result;
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#ports.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #count(name: string, by = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + by);
  }

  #traceStep(
    number: number,
    envelope: AnyEnvelope,
    handler: string,
    outcome: Outcome,
    at_ms: number,
    started: number,
  ): void {
    const duration_us = Math.round((this.#ports.clock.monotonic_ms() - started) * 1000);
    const why = outcome.outcome === 'reject' || outcome.outcome === 'block' ? outcome.rule : null;
    const shown = outcome.outcome === 'advance' ? outcome.envelope : envelope;
    this.#traceEnd(number, shown, handler, outcome.outcome, why, at_ms, duration_us);
  }

  #traceEnd(
    number: number,
    envelope: AnyEnvelope,
    handler: string,
    outcome: string,
    why: string | null,
    at_ms: number,
    duration_us = 0,
  ): void {
    this.#ports.trace.add({
      at_ms,
      envelope: number,
      identity: envelope.identity,
      cause: envelope.cause,
      depth: envelope.depth,
      handler,
      stage: envelope.stage,
      ...shownOf(envelope),
      outcome,
      why,
      duration_us,
    });
  }
}

/** Whether what handlers do with an envelope may change more than rows of its own: who belongs, what is alive, which keys are held. */
function changesFacts(envelope: AnyEnvelope): boolean {
  if (envelope.stage === 'instruction') return true;
  if (envelope.stage !== 'opened' && envelope.stage !== 'valid') return false;
  return envelope.type.effect !== undefined || envelope.type.class === 'local';
}

/** What a pure function returned, as the pipeline carries it. */
function wrap(draft: Envelope, identity: Identity, cause: Cause, depth: number): AnyEnvelope {
  const carried = { identity, cause, depth, origin: { from: 'here' } as const };
  return draft.draft === 'instruction'
    ? { stage: 'instruction', draft, ...carried }
    : { stage: 'outgoing', draft, ...carried };
}

function idOfDraft(draft: Envelope, draft_ids: ReadonlyMap<unknown, Id>): Id | null {
  return draft_ids.get(draft) ?? null;
}
