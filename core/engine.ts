/**
 * The engine: one protocol over one database, whole, without any I/O of its own. A host gives it a clock, randomness and a database,
 * feeds it frames and commands, lets its scheduler run when work is due, and carries out what it hands back after each commit.
 */
import { SottoError } from './assert.ts';
import type { Clock, Random } from './clock.ts';
import { type Db, isStorageFault, type Statement } from './db.ts';
import { type Cause, type Identity, type InstructionDraft, instruct } from './envelope.ts';
import type { EventType } from './event-type.ts';
import type { Id } from './fields.ts';
import type { AfterCommit } from './outcome.ts';
import { Pipeline } from './pipeline.ts';
import type { Protocol, Registered } from './protocol.ts';
import { PureRunner, type PureScope } from './pure.ts';
import { describeIssues, QueryRunner } from './query.ts';
import { CORE_SCHEMA, SCHEMA_VERSION } from './schema.ts';
import type { Command } from './sources.ts';
import { Trace } from './trace.ts';
import type { Submitted, Transaction } from './transaction.ts';

export interface EnginePorts {
  readonly db: Db;
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly random: Random;
  /** The highest time that was ever believed: nothing that had expired by then is shown again, whatever the clock says now. */
  readonly highest_ms?: () => number;
  /** Told after each commit what is to happen outside. Must not throw, and must not call back into the engine before it returns. */
  readonly after_commit: (effects: readonly AfterCommit[]) => void;
}

export interface IdentityRow {
  readonly identity: Identity;
  readonly network_id: Id | null;
  readonly device_id: Id;
  readonly slot: number;
}

/** Protocols whose queries were found to compile, in this process: further engines compile each as it is first asked. */
const CHECKED = new WeakSet<Protocol>();

export class Engine {
  readonly trace = new Trace();
  readonly pipeline: Pipeline;
  readonly pure: PureRunner;
  readonly #ports: EnginePorts;
  readonly #queries: QueryRunner;
  readonly #secrets = new Map<string, Uint8Array>();
  #secret_handles = 0;
  #now_ms: number;

  /** Creates missing tables and checks every query. Throws what is wrong with the protocol or the database. */
  constructor(ports: EnginePorts) {
    this.#ports = ports;
    const { db, protocol, clock, random } = ports;
    this.#now_ms = clock.wall_ms();
    db.scalar('now_ms', { deterministic: true }, () => Math.max(this.#now_ms, ports.highest_ms?.() ?? 0));
    protocol.pipeline.install?.(db);
    keepSecret(protocol);
    refuseOldFile(db);
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(CORE_SCHEMA);
      for (const { value, file } of protocol.sql) runSchema(db, value, file);
      if (protocol.pipeline.estimates !== undefined) tellPlanner(db, protocol.pipeline.estimates);
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
      db.exec('COMMIT');
    } catch (thrown) {
      db.exec('ROLLBACK');
      throw thrown;
    }
    this.#queries = new QueryRunner(db);
    if (!CHECKED.has(protocol))
      for (const [name, { value, file }] of protocol.queries) this.#queries.check(value, `${name} (${file})`);
    CHECKED.add(protocol);
    this.pure = new PureRunner(db, this.#queries, random, protocol);
    this.pipeline = new Pipeline({
      db,
      protocol,
      clock,
      random,
      pure: this.pure,
      trace: this.trace,
      secrets: this.#secrets,
      after_commit: ports.after_commit,
      scope: (identity, now_ms) => this.scope(identity, now_ms),
    });
    this.pipeline.adopt(this.#now_ms);
  }

  /** One transaction at the clock's present time, or at `now_ms`. */
  transact<T>(body: (transaction: Transaction) => T, now_ms: number = this.#ports.clock.wall_ms()): T {
    this.#now_ms = now_ms;
    return this.pipeline.transact(now_ms, body);
  }

  /**
   * Runs a command, all or nothing: when any of its envelopes is refused or has to wait, nothing of it happened and a `SottoError` says why.
   * What they lead to stands and falls by itself.
   * `secrets` are values that the command may use by handle (see `proofWith`); they are wiped when it ends.
   */
  command(
    name: string,
    identity: Identity,
    input: unknown,
    secrets: Readonly<Record<string, Uint8Array>> = {},
  ): CommandResult {
    const handles = Object.entries(secrets).map(([field, secret]) => ({ field, handle: this.#keep(secret) }));
    try {
      const given = {
        ...(input as Record<string, unknown>),
        ...Object.fromEntries(handles.map(({ field, handle }) => [field, handle])),
      };
      const { registered, checked } = this.#checkedCommand(name, given);
      return this.transact((transaction) => this.#runCommand(registered, identity, checked, transaction));
    } finally {
      for (const { handle } of handles) {
        this.#secrets.get(handle)?.fill(0);
        this.#secrets.delete(handle);
      }
    }
  }

  /**
   * Runs commands in one transaction, in their order. Each stands or falls by itself: what one threw is in its place. Throws only when the storage failed, and
   * then none of them happened.
   */
  commands(calls: readonly CommandCall[]): readonly (CommandResult | { readonly thrown: unknown })[] {
    return this.transact((transaction) =>
      calls.map(({ name, identity, input }) => {
        try {
          const { registered, checked } = this.#checkedCommand(name, input);
          return transaction.savepoint(() => this.#runCommand(registered, identity, checked, transaction));
        } catch (thrown) {
          if (isStorageFault(thrown)) throw thrown;
          return { thrown };
        }
      }),
    );
  }

  #checkedCommand(
    name: string,
    input: unknown,
  ): { registered: Registered<Command>; checked: Record<string, unknown> } {
    const registered = this.#ports.protocol.commands.get(name);
    if (registered === undefined) throw new SottoError('unknown_command', `There is no command '${name}'.`);
    const checked = registered.value.check.safeParse(input);
    if (!checked.success) throw new SottoError('bad_input', `${name}: ${describeIssues(checked.error)}`);
    return { registered, checked: checked.data };
  }

  #runCommand(
    registered: Registered<Command>,
    existing: Identity,
    input: Record<string, unknown>,
    transaction: Transaction,
  ): CommandResult {
    const cause: Cause = { kind: 'command', name: registered.name };
    let identity = existing;
    let reply: Readonly<Record<string, unknown>> = {};
    if (registered.value.options.as === 'new') {
      const made = transaction.submit(0, cause, [this.#keygen(input)]);
      throwIfRefused(registered.name, made);
      identity = made.reply.identity as Identity;
      reply = made.reply;
    } else if (this.identity(existing) === null) {
      throw new SottoError(
        'no_identity',
        `${registered.name}: there is no identity ${existing} on this node. Create or join a network first.`,
      );
    }
    const drafts = this.pure.command(registered, input, this.scope(identity, transaction.now_ms));
    const submitted = transaction.submit(identity, cause, drafts);
    throwIfRefused(registered.name, submitted, registered.value.options.may_wait);
    return { identity, event_ids: submitted.event_ids, reply: { ...reply, ...submitted.reply } };
  }

  /** The instruction that makes a device key, found by its effect. */
  #keygen(input: Record<string, unknown>): InstructionDraft {
    const type = [...this.#ports.protocol.types.values()].find(
      (registered) => registered.value.effect === 'keygen',
    )?.value;
    if (type === undefined)
      throw new SottoError(
        'bad_protocol',
        `No event type with effect 'keygen': this protocol cannot make identities.`,
      );
    return instruct(
      type as EventType<string, never>,
      { purpose: 'device', network_id: input.network_id ?? null } as never,
    );
  }

  /** Runs a query by name, for the host and for people; may open content. */
  query(name: string, params: unknown, identity: Identity): readonly Record<string, unknown>[] {
    const registered = this.#ports.protocol.queries.get(name);
    if (registered === undefined) throw new SottoError('unknown_query', `There is no query '${name}'.`);
    this.#now_ms = this.#ports.clock.wall_ms();
    return this.#queries.run(registered.value, params, identity, this.#now_ms);
  }

  /** Carries out an instruction of the host's (a session opened, say). */
  instruct(identity: Identity, host: string, type_name: string, body: Record<string, unknown>): Submitted {
    const type = this.#ports.protocol.types.get(type_name)?.value;
    if (type === undefined) throw new SottoError('unknown_type', `There is no event type '${type_name}'.`);
    return this.transact((transaction) => {
      const submitted = transaction.submit(identity, { kind: 'host', name: host }, [
        instruct(type as EventType<string, never>, body as never),
      ]);
      throwIfRefused(type_name, submitted);
      return submitted;
    });
  }

  /** Takes in one frame of an authenticated session; `checked`: items whose signatures were found to hold already. Never throws for what the frame holds: see `counters` and the trace. */
  receive(
    identity: Identity,
    session: { readonly session_id: string; readonly device_id: Id },
    bytes: Uint8Array,
    checked?: ReadonlySet<number>,
  ): Submitted {
    return this.transact((transaction) =>
      transaction.inject({
        stage: 'frame',
        bytes,
        checked,
        identity,
        cause: { kind: 'session', session_id: session.session_id },
        origin: { from: 'network', session_id: session.session_id, device_id: session.device_id },
        depth: 0,
      }),
    );
  }

  identities(): readonly IdentityRow[] {
    return this.#identityRows(
      'SELECT identity, network_id, device, slot FROM identity ORDER BY identity',
      {},
    );
  }

  identity(identity: Identity): IdentityRow | null {
    return (
      this.#identityRows(
        'SELECT identity, network_id, device, slot FROM identity WHERE identity = :identity',
        { identity },
      )[0] ?? null
    );
  }

  scope(identity: Identity, now_ms: number): PureScope {
    const row = identity === 0 ? null : this.identity(identity);
    return {
      identity,
      now_ms,
      me: row === null ? null : { device_id: row.device_id, network_id: row.network_id },
    };
  }

  readonly #identity_statements = new Map<string, Statement>();

  #identityRows(sql: string, params: { identity?: number }): readonly IdentityRow[] {
    let statement = this.#identity_statements.get(sql);
    if (statement === undefined) {
      statement = this.#ports.db.prepare(sql);
      this.#identity_statements.set(sql, statement);
    }
    return statement.all(params).map((row) => ({
      identity: row.identity as number,
      network_id: row.network_id instanceof Uint8Array ? row.network_id.toHex() : null,
      device_id: (row.device as Uint8Array).toHex(),
      slot: row.slot as number,
    }));
  }

  #keep(secret: Uint8Array): string {
    const handle = `secret:${++this.#secret_handles}`;
    this.#secrets.set(handle, secret);
    return handle;
  }
}

/** A command to run, by name. */
export interface CommandCall {
  readonly name: string;
  readonly identity: Identity;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface CommandResult {
  readonly identity: Identity;
  /** Ids of the events that the command made, in the order of its envelopes. */
  readonly event_ids: readonly (Id | null)[];
  readonly reply: Readonly<Record<string, unknown>>;
}

function throwIfRefused(name: string, submitted: Submitted, may_wait = false): void {
  const rejected = submitted.rejected.find(({ own }) => own);
  if (rejected !== undefined)
    throw new SottoError(
      rejected.rule,
      `${name} was refused: ${rejected.type ?? 'it'} breaks the rule ${rejected.rule}.`,
    );
  const blocked = submitted.blocked.find(({ own }) => own);
  if (blocked !== undefined && !may_wait) {
    throw new SottoError(
      blocked.rule,
      `${name} cannot be done yet: it waits for something this node does not have (${blocked.rule}).`,
    );
  }
  const failed = submitted.failed.find(({ own }) => own);
  if (failed !== undefined)
    throw new SottoError(
      failed.error_class,
      failed.message ??
        `${name} failed in ${failed.handler}: ${failed.error_class} at ${failed.error_place}.`,
    );
}

/** Secrets are in tables that no query, and no SQL of an app's, may name. */
function keepSecret(protocol: Protocol): void {
  const tables = protocol.pipeline.secret_tables ?? [];
  if (tables.length === 0) return;
  const names = new RegExp(`\\b(${tables.join('|')})\\b`, 'i');
  const refuse = (file: string, name: string) => {
    throw new SottoError(
      'names_secrets',
      `${file}: ${name} names the table '${names.source}', where secrets are. Nothing but handlers reads it.`,
    );
  };
  for (const { name, file, value } of protocol.queries.values())
    if (names.test(value.sql)) refuse(file, name);
  for (const { name, file, value } of protocol.sql)
    if (name.includes('/') && names.test(value)) refuse(file, name);
}

/** Before 1.0 a file of an older shape is not converted, but neither is it touched. */
function refuseOldFile(db: Db): void {
  const { user_version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  const has_tables =
    db.prepare("SELECT 1 AS found FROM sqlite_schema WHERE type = 'table'").get() !== undefined;
  if (user_version === SCHEMA_VERSION || (user_version === 0 && !has_tables)) return;
  throw new SottoError(
    'other_version',
    `The database is of version ${user_version}, this program works with ${SCHEMA_VERSION}. It was not changed; use another data directory.`,
  );
}

/** `ANALYZE sqlite_schema` looks at no table: it makes the one with the estimates, and reads it. */
function tellPlanner(db: Db, estimates: NonNullable<Protocol['pipeline']['estimates']>): void {
  db.exec('ANALYZE sqlite_schema; DELETE FROM sqlite_stat1');
  const insert = db.prepare('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)');
  for (const [table, indexes] of Object.entries(estimates))
    for (const [index, stat] of Object.entries(indexes))
      insert.run({ table, index: index === '' ? null : index, stat });
  db.exec('ANALYZE sqlite_schema');
}

function runSchema(db: Db, sql: string, file: string): void {
  try {
    db.exec(sql);
  } catch (thrown) {
    throw new SottoError(
      'bad_schema',
      `${file}: ${thrown instanceof Error ? thrown.message : 'SQL that does not run'}`,
      { cause: thrown },
    );
  }
}
