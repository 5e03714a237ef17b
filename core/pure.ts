/**
 * Runs pure functions, and holds them to it: frozen arguments, a read-only connection, an array of envelopes at once and no promise.
 * What breaks a rule is a named error that says which function in which file; what a function throws is reduced to class and place,
 * because a foreign message may quote what must not be seen.
 */
import { placeOf, SottoError } from './assert.ts';
import type { Random } from './clock.ts';
import { type Db, isStorageFault } from './db.ts';
import type { Envelope, Identity } from './envelope.ts';
import type { Event } from './event-type.ts';
import { limits } from './limits.ts';
import type { Protocol, Registered } from './protocol.ts';
import type { Query, QueryRunner } from './query.ts';
import type {
  Command,
  CommandContext,
  Context,
  Job,
  JobContext,
  Projector,
  Reflector,
  ReflectorContext,
  RowWrite,
} from './sources.ts';

/** Everything a run may see besides its input. */
export interface PureScope {
  readonly identity: Identity;
  readonly now_ms: number;
  readonly me: Context['me'];
}

const DRAFTS: ReadonlySet<unknown> = new Set(['event', 'transmit', 'forward', 'instruction']);

export class PureRunner {
  readonly #db: Db;
  readonly #queries: QueryRunner;
  readonly #random: Random;
  readonly #known: ReadonlySet<unknown>;
  #nesting = 0;

  constructor(db: Db, queries: QueryRunner, random: Random, protocol: Protocol) {
    this.#db = db;
    this.#queries = queries;
    this.#random = random;
    this.#known = new Set([...protocol.queries.values()].map((registered) => registered.value));
  }

  job(
    registered: Registered<Job>,
    params: unknown,
    scope: PureScope,
    occurrence: Pick<JobContext, 'scheduled_for_ms' | 'missed' | 'attempt'>,
  ) {
    const ctx: JobContext = Object.freeze({ ...this.#context(scope), ...occurrence });
    return this.#envelopes('job', registered, scope, (query) =>
      registered.value(query, deepFreeze(params) as never, ctx),
    );
  }

  reflector(
    registered: Registered<Reflector>,
    event: Event,
    scope: PureScope,
    origin: Pick<ReflectorContext, 'from' | 'session'>,
  ) {
    const ctx: ReflectorContext = Object.freeze({ ...this.#context(scope), ...deepFreeze(origin) });
    return this.#envelopes('reflector', registered, scope, (query) =>
      registered.value(query, deepFreeze(event) as never, ctx),
    );
  }

  command(registered: Registered<Command>, input: unknown, scope: PureScope) {
    const ctx: CommandContext = Object.freeze(this.#context(scope));
    return this.#envelopes('command', registered, scope, (query) =>
      registered.value(query, deepFreeze(input) as never, ctx),
    );
  }

  /** The name of the first rule that does not hold, or null. */
  brokenRule(registered: Registered<Projector>, event: Event, scope: PureScope): string | null {
    const ctx = Object.freeze(this.#context(scope));
    for (const name in registered.value.rules) {
      const holds = this.#guard(`rule ${name}`, registered.file, scope, (query) =>
        registered.value.rules[name]!(query, deepFreeze(event), ctx),
      );
      if (holds !== true && holds !== false)
        throw wrong('bad_return', `rule ${name}`, registered.file, 'returned neither true nor false');
      if (!holds) return name;
    }
    return null;
  }

  project(registered: Registered<Projector>, event: Event, scope: PureScope): readonly RowWrite[] {
    const ctx = Object.freeze(this.#context(scope));
    const writes = this.#guard(`projector ${registered.name}`, registered.file, scope, (query) =>
      registered.value.project(query, deepFreeze(event), ctx),
    );
    if (!Array.isArray(writes))
      throw wrong(
        'bad_return',
        `projector ${registered.name}`,
        registered.file,
        'did not return an array of row writes',
      );
    return writes;
  }

  #context(scope: PureScope): Context {
    return {
      now_ms: scope.now_ms,
      random: (length) => this.#random.bytes(Math.min(length, 1024)),
      me: scope.me === null ? null : Object.freeze({ ...scope.me }),
    };
  }

  #envelopes(
    kind: string,
    registered: Registered<unknown>,
    scope: PureScope,
    run: (query: Query) => readonly Envelope[],
  ): readonly Envelope[] {
    const what = `${kind} ${registered.name}`;
    const returned = this.#guard(what, registered.file, scope, run);
    if (!Array.isArray(returned))
      throw wrong('bad_return', what, registered.file, 'did not return an array of envelopes');
    if (returned.length > limits.emitted_max) {
      throw wrong(
        'emitted_too_much',
        what,
        registered.file,
        `returned ${returned.length} envelopes; ${limits.emitted_max} is the most (return a batch and set drain: true)`,
      );
    }
    for (const envelope of returned) {
      if (!DRAFTS.has((envelope as { draft?: unknown } | null)?.draft)) {
        throw wrong(
          'bad_return',
          what,
          registered.file,
          'returned something that is no envelope; make them with event(), transmit(), forward() or instruct()',
        );
      }
    }
    return returned;
  }

  #guard<T>(what: string, file: string, scope: PureScope, run: (query: Query) => T): T {
    const query = ((definition, params) => {
      if (!this.#known.has(definition)) {
        throw wrong(
          'query_not_registered',
          what,
          file,
          `asked '${(definition as { description?: string })?.description}', which no queries.ts exports`,
        );
      }
      if (definition.opens_content)
        throw wrong(
          'query_opens_content',
          what,
          file,
          `asked '${definition.description}', which opens content`,
        );
      return this.#queries.run(definition as never, params, scope.identity, scope.now_ms);
    }) as Query;
    if (this.#nesting++ === 0) this.#db.setQueryOnly(true);
    let returned: T;
    try {
      returned = run(query);
    } catch (thrown) {
      throw explain(thrown, what, file);
    } finally {
      if (--this.#nesting === 0) this.#db.setQueryOnly(false);
    }
    if (typeof (returned as { then?: unknown } | null)?.then === 'function') {
      // Nobody will wait for it: keep its rejection from ending the process unnamed.
      (returned as unknown as Promise<unknown>).then(
        () => undefined,
        () => undefined,
      );
      throw wrong(
        'returned_promise',
        what,
        file,
        'returned a promise; pure functions are synchronous (remove async)',
      );
    }
    return returned;
  }
}

function wrong(code: string, what: string, file: string, reason: string): SottoError {
  return new SottoError(code, `${what} (${file}) ${reason}.`);
}

function explain(thrown: unknown, what: string, file: string): Error {
  if (thrown instanceof SottoError || isStorageFault(thrown)) return thrown as Error;
  if (
    thrown instanceof TypeError &&
    /read[- ]only|not extensible|Cannot (add|delete|define|assign)/.test(thrown.message)
  ) {
    return wrong(
      'argument_mutated',
      what,
      file,
      'tried to change its arguments; they are frozen (copy first)',
    );
  }
  const { error_class, error_place } = placeOf(thrown);
  return new SottoError('threw', `${what} (${file}) threw ${error_class} at ${error_place}.`);
}

/** Freezes plain data through and through. Data here is JSON-like (ids are strings), so that freezing is complete. */
export function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
