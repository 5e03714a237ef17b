/**
 * What tests share: engines over real SQLite files in a temporary folder, clocks that a test turns, and a wire between engines that delivers
 * frames as the test wants.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Clock, Random } from '../core/clock.ts';
import type { Db, SqlParams, SqlRow, Statement } from '../core/db.ts';
import { Engine } from '../core/engine.ts';
import type { RawEvent } from '../core/envelope.ts';
import type { Id } from '../core/fields.ts';
import { encodeFrame } from '../core/frame-codec.ts';
import type { AfterCommit } from '../core/outcome.ts';
import { assembleProtocol, type Protocol, type ProtocolFolder } from '../core/protocol.ts';
import { LEVELS } from '../protocols/quiet/reconcile/sum.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';

export const quietProtocol: Protocol = assembleProtocol([quiet]);

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A temporary folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-test-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openedDb(
  path = join(temporaryFolder(), 'sotto.db'),
  open: (path: string) => Db = openNodeSqlite,
): Db {
  const db = open(path);
  cleanups.push(() => {
    try {
      db.close();
    } catch {
      // The test closed it already.
    }
  });
  return db;
}

/** A clock that stands until it is turned. */
export class TestClock implements Clock {
  wall = 1_800_000_000_000;
  monotonic = 0;
  wall_ms = (): number => this.wall;
  monotonic_ms = (): number => this.monotonic;
  /** Time passes, as both clocks see it. */
  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

/** Repeatable bytes: mulberry32 over a seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 255) };
}

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** An engine with what its commits wanted done outside. */
export class TestNode {
  readonly engine: Engine;
  readonly effects: AfterCommit[] = [];
  readonly clock: TestClock;
  readonly db: Db;
  readonly #statements = new Map<string, Statement>();

  constructor(options: { protocol?: Protocol; clock?: TestClock; random?: Random; db?: Db } = {}) {
    this.clock = options.clock ?? new TestClock();
    this.db = options.db ?? openedDb();
    this.engine = new Engine({
      db: this.db,
      protocol: options.protocol ?? quietProtocol,
      clock: this.clock,
      random: options.random ?? systemRandom,
      after_commit: (effects) => this.effects.push(...effects),
    });
  }

  /** Frames that are due to a session, one per item, and forgotten here. */
  takeItems(session_id?: string): Uint8Array[] {
    const taken: Uint8Array[] = [];
    const rest: AfterCommit[] = [];
    for (const effect of this.effects) {
      if (effect.effect === 'send' && (session_id === undefined || effect.session_id === session_id))
        taken.push(effect.item);
      else rest.push(effect);
    }
    this.effects.splice(0, this.effects.length, ...rest);
    return taken;
  }

  /** Runs a job as its schedule would, for identity 1. Returns how many envelopes it emitted. */
  runJob(job_name: string, params: Record<string, unknown> = {}): number {
    const { engine, clock } = this;
    const job = quietProtocol.jobs.get(job_name);
    if (job === undefined) throw new Error(`there is no job ${job_name}`);
    return engine.transact((transaction) => {
      const scope = engine.scope(1, transaction.now_ms);
      const occurrence = { scheduled_for_ms: clock.wall, missed: 0, attempt: 0 };
      const checked = job.value.check.parse(params) as Record<string, unknown>;
      const envelopes = engine.pure.job(job, checked, scope, occurrence);
      const cause = { kind: 'job', name: job_name, scheduled_for_ms: clock.wall } as const;
      const { rejected, failed } = transaction.submit(1, cause, envelopes);
      if (rejected.length + failed.length > 0) throw new Error(JSON.stringify({ rejected, failed }));
      return envelopes.length;
    });
  }

  query<Row = Record<string, unknown>>(
    name: string,
    params: Record<string, unknown> = {},
    identity = 1,
  ): Row[] {
    return this.engine.query(name, params, identity) as Row[];
  }

  all(sql: string, params: SqlParams = {}): SqlRow[] {
    const statement = this.#statements.get(sql) ?? this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement.all(params);
  }
}

/** A network founded by Alice, with its channel. */
export function foundNetwork(node: TestNode): { network_id: string; channel_id: string } {
  node.engine.command('create_network', 0, { name: 'Home', user_name: 'alice' });
  const network_id = node.engine.identity(1)?.network_id;
  const channel_id = node.query<{ channel_id: string }>('get_channels')[0]?.channel_id;
  if (network_id == null || channel_id === undefined) throw new Error('the network was not founded');
  return { network_id, channel_id };
}

/** Lets `newcomer` ask to join `host`'s network. The admission comes with the next `wire`; whoever wants a name says so after that. */
export function joinNetwork(host: TestNode, newcomer: TestNode): void {
  const invite = host.engine.command('create_invite', 1, { uses: 1, ttl_ms: 86_400_000 });
  newcomer.engine.command(
    'join_network',
    0,
    {
      network_id: host.engine.identity(1)?.network_id,
      invite_id: invite.event_ids[1],
      invite_key: invite.reply.public_key,
    },
    { invite_secret: invite.reply.secret as Uint8Array },
  );
}

/** An event as a node has it. Of sealed ones the type is what was found inside. */
export interface StoredEvent extends RawEvent {
  readonly event_id: Id;
  readonly type: string;
}

/** Every event that a node has now, with the wraps it would be sent with, in the order of ids. */
export function storedEvents(node: TestNode): StoredEvent[] {
  const wraps = node.db.prepare(
    'SELECT k.id, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = :n AND w.sealed IS NOT NULL ORDER BY k.expires_ms, k.id',
  );
  return node
    .all('SELECT n, id, type, header, signature, body FROM event WHERE body IS NOT NULL ORDER BY id')
    .map((row) => ({
      event_id: (row.id as Uint8Array).toHex(),
      type: row.type as string,
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
      wraps: wraps.all({ n: row.n as number }).map((wrap) => ({
        key_id: (wrap.id as Uint8Array).toHex(),
        sealed: wrap.sealed as Uint8Array,
      })),
    }));
}

/**
 * Somebody whom `host` lets in and who is away from then on: each call gives another copy of their file as it was before, with a device key and the
 * prekeys to which keys are sealed, and nothing else. Whoever hears of everything later can read it, as no device without prekeys could.
 */
export function awayMember(host: TestNode, random: Random): () => string {
  const folder = temporaryFolder();
  const before = join(folder, 'before.db');
  const newcomer = new TestNode({ clock: host.clock, random, db: openedDb(join(folder, 'newcomer.db')) });
  joinNetwork(host, newcomer);
  newcomer.db.prepare('VACUUM INTO :path').all({ path: before });
  wire(host, newcomer);
  newcomer.db.close();
  return () => {
    const path = join(temporaryFolder(), 'sotto.db');
    copyFileSync(before, path);
    return path;
  };
}

/** Connects two nodes (identity 1 of each) and carries frames until both are silent. Returns how many frames and bytes went over. */
export function wire(
  a: TestNode,
  b: TestNode,
  carry: (frame: Uint8Array) => Uint8Array[] = (frame) => [frame],
): { frames: number; bytes: number } {
  const device = (node: TestNode) => node.engine.identity(1)?.device_id ?? '';
  const session_id = `session-${Math.random().toString(36).slice(2)}`;
  const told = (node: TestNode, other: TestNode, state: string) =>
    node.engine.instruct(1, 'test', 'session', { session_id, device_id: device(other), state });
  told(a, b, 'opened');
  told(b, a, 'opened');
  let frames = 0;
  let bytes = 0;
  for (let turn = 0; turn < 10_000; turn++) {
    let moved = false;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const items = from.takeItems(session_id);
      if (items.length === 0) continue;
      moved = true;
      for (const frame of carry(encodeFrame(items))) {
        frames += 1;
        bytes += frame.length;
        to.engine.receive(1, { session_id, device_id: device(from) }, frame);
      }
    }
    if (!moved) break;
  }
  told(a, b, 'closed');
  told(b, a, 'closed');
  return { frames, bytes };
}

/** A protocol folder laid over Quiet, from modules given in place. */
export function overlaid(folder: Partial<ProtocolFolder>): Protocol {
  return assembleProtocol([quiet, { root: 'test', modules: {}, sql: {}, jobs_yaml: null, ...folder }]);
}

/** The projection as text: every table that a projector writes, ids in place of row numbers, rows in order. Equal for equal sets of events. */
export function canonicalDump(node: TestNode): string {
  const lines: string[] = [];
  const tables = node
    .all(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .map((row) => row.name as string)
    .filter((name) => !LOCAL_TABLES.has(name));
  for (const table of tables) {
    const references = new Set(
      node
        .all(`SELECT "from" AS name FROM pragma_foreign_key_list('${table}') WHERE "table" = 'event'`)
        .map((row) => row.name),
    );
    const columns = node
      .all(`SELECT name FROM pragma_table_info('${table}')`)
      .map((row) => row.name as string);
    const shown = columns
      .filter((column) => column !== 'n' && column !== 'identity' && column !== 'group_n')
      .map((column) =>
        references.has(column)
          ? `(SELECT hex(id) FROM event WHERE n = t.${column}) AS ${column}`
          : `quote(t.${column}) AS ${column}`,
      );
    if (table === 'depends_on')
      shown.splice(
        0,
        shown.length,
        '(SELECT hex(id) FROM event WHERE n = t.target) AS target',
        '(SELECT hex(id) FROM event WHERE n = t.event) AS event',
      );
    // Edges to the dead are only there to bring them back, and only where they were known when alive.
    const rows_of =
      table === 'depends_on'
        ? `${table} t WHERE EXISTS (SELECT 1 FROM event e WHERE e.n = t.event AND (e.body IS NOT NULL OR e.superseded = 1))`
        : // Which runs the ids are cut into is a matter of the order in which they came; what they add up to is not.
          table === 'sum_node'
          ? `${table} t WHERE level = ${LEVELS} AND count > 0`
          : `${table} t`;
    if (table === 'event') shown.push('(SELECT hex(id) FROM event WHERE n = t.group_n) AS group_id');
    if (table === 'aimed_at') shown.splice(0, 1, '(SELECT hex(id) FROM event WHERE n = t.event) AS event');
    if (table === 'sum_node') shown.splice(0, 1, '(SELECT hex(id) FROM event WHERE n = t.set_n) AS group_id');
    const rows = node.all(`SELECT ${shown.join(', ')} FROM ${rows_of}`).map((row) => JSON.stringify(row));
    lines.push(`== ${table}`, ...rows.sort());
  }
  return lines.join('\n');
}

/** State of this node alone: queues, schedules, sessions, secrets, and what it noticed. */
const LOCAL_TABLES = new Set([
  'identity',
  'chain_head',
  'chain_link',
  'chain_gap',
  'chain_header',
  'chain_scan',
  'missing_link',
  'judgement_gap',
  'cut_applied',
  'right_cut_applied',
  'group_key',
  'wrap',
  'prekey_secret',
  'read_mark',
  'key_slot_lock',
  'waiting',
  'waiting_for',
  'waiting_wrap',
  'dying',
  'purge',
  'synced',
  'synced_with',
  'fetch',
  'log_padding',
  'refused',
  'key_slot',
  'key_slot_use',
  'session',
  'notification',
  'clock_witness',
  'dial_hint',
  'job_schedule',
  'job_run',
  'scheduler_clock',
]);
