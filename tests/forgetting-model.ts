/**
 * What `forgetting-model.test.ts` drives: peers over real files, each in one long transaction that is taken back after the case, so that a case costs
 * neither opening a database nor an engine; an oracle that remembers what was written and what each peer has shown; and what must hold.
 */
import { join } from 'node:path';
import type { Db, Statement } from '../core/db.ts';
import { encodeFrame } from '../core/frame-codec.ts';
import { forgetOpened } from '../protocols/quiet/handlers/content.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { DiskFull } from './failing-db.ts';
import { quietProtocol, seededRandom, TestClock, TestNode } from './support.ts';
import { World } from './world.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** What breaks: the number of the promise, and what was seen. */
export class Broken extends Error {}
export function broken(promise: string, what: string): never {
  throw new Broken(`${promise}: ${what}`);
}

const TRANSACTION: Readonly<Record<string, readonly string[]>> = {
  'BEGIN IMMEDIATE': ['SAVEPOINT engine'],
  COMMIT: ['RELEASE engine'],
  ROLLBACK: ['ROLLBACK TO engine', 'RELEASE engine'],
};

/** A database whose transactions are savepoints of one that never commits, and that dies when a test says so. */
class RewindDb implements Db {
  /** So many more statements, and then the process is dead. */
  left = Number.POSITIVE_INFINITY;
  readonly #db: Db;
  #in_transaction = false;

  constructor(path: string) {
    this.#db = openNodeSqlite(path);
    this.#db.exec('PRAGMA synchronous = OFF');
    this.#db.exec('BEGIN');
  }

  #step<T>(run: () => T): T {
    this.left -= 1;
    if (this.left < 0) throw new DiskFull('the disk is full');
    return run();
  }

  prepare(sql: string): Statement {
    const instead = TRANSACTION[sql];
    if (instead === undefined) {
      const statement = this.#db.prepare(sql);
      return {
        run: (params) => this.#step(() => statement.run(params)),
        get: (params) => this.#step(() => statement.get(params)),
        all: (params) => this.#step(() => statement.all(params)),
      };
    }
    const statements = instead.map((one) => this.#db.prepare(one));
    const run = () =>
      this.#step(() => {
        for (const statement of statements) statement.run();
        this.#in_transaction = sql === 'BEGIN IMMEDIATE';
        return { changes: 0, last_insert_rowid: 0 };
      });
    const nothing = () => {
      throw new Error(`${sql} gives no rows`);
    };
    return { run, get: nothing, all: nothing };
  }

  prepareRead: Db['prepareRead'] = (sql) => this.#db.prepareRead(sql);
  exec(sql: string): void {
    for (const one of TRANSACTION[sql] ?? [sql]) this.#db.exec(one);
  }
  setQueryOnly: Db['setQueryOnly'] = (on) => this.#db.setQueryOnly(on);
  scalar: Db['scalar'] = (name, options, fn) => this.#db.scalar(name, options, fn);
  aggregate: Db['aggregate'] = (name, options) => this.#db.aggregate(name, options);
  close: Db['close'] = () => this.#db.close();

  /** What a process that died left open is taken back, as SQLite does when the file is opened anew. */
  recover(): void {
    this.left = Number.POSITIVE_INFINITY;
    this.#db.setQueryOnly(false);
    if (this.#in_transaction) this.exec('ROLLBACK');
    this.#in_transaction = false;
  }
  backup(): void {
    this.#db.exec('SAVEPOINT backup');
  }
  /** To the last backup; null: to the beginning. */
  restore(to: 'backup' | 'beginning'): void {
    this.#db.exec(to === 'backup' ? 'ROLLBACK TO backup' : 'ROLLBACK');
    if (to === 'beginning') this.#db.exec('BEGIN');
  }
}

/** Engines that stay open from case to case, so that they cannot have clocks and chance of their own. */
export class Pool {
  readonly clock = new TestClock();
  #chance = seededRandom(0);
  readonly random = { bytes: (length: number) => this.#chance.bytes(length) };
  readonly #open = new Map<string, { readonly db: RewindDb; node: TestNode }>();
  readonly folder: string;
  /** By the names of who is in them. */
  readonly bases = new Map<string, { network_id: string; channel_id: string; wall: number }>();

  constructor(folder: string) {
    this.folder = folder;
  }

  seed(seed: number): void {
    this.#chance = seededRandom(seed);
  }

  take(base: string, name: string): { db: RewindDb; node: TestNode } {
    const key = `${base} ${name}`;
    let peer = this.#open.get(key);
    if (peer === undefined) {
      const db = new RewindDb(join(this.folder, base, `${name}.db`));
      peer = { db, node: new TestNode({ clock: this.clock, db, random: this.random }) };
      this.#open.set(key, peer);
    }
    peer.db.recover();
    peer.db.restore('beginning');
    peer.node.effects.length = 0;
    return peer;
  }

  /** Another engine over the same file, which is the one from here on: what SQL calls into is its own. */
  reopen(db: RewindDb): TestNode {
    const node = new TestNode({ clock: this.clock, db, random: this.random });
    for (const peer of this.#open.values()) if (peer.db === db) peer.node = node;
    return node;
  }

  close(): void {
    for (const { db } of this.#open.values()) db.close();
    this.#open.clear();
  }
}

interface Version {
  readonly event_id: string;
  readonly text: string;
  readonly created_ms: number;
}
interface Written {
  readonly label: string;
  readonly expires_ms: number;
  readonly versions: Version[];
  readonly reactions: string[];
  deletions: number;
}
/** What a peer is known to have shown, and to have seen go. */
interface Seen {
  shown: Map<string, number>;
  gone: Set<string>;
  /** Events with the keys that they were seen under. */
  under: Set<string>;
}
interface Peer {
  readonly name: string;
  readonly db: RewindDb;
  node: TestNode;
  seen: Seen;
  readonly backups: Seen[];
}
const nothing = (): Seen => ({ shown: new Map(), gone: new Set(), under: new Set() });
const copyOf = ({ shown, gone, under }: Seen): Seen => ({
  shown: new Map(shown),
  gone: new Set(gone),
  under: new Set(under),
});

export const JOBS = [
  ['ttl_cleanup_job', {}],
  ['rekey_creation_job', {}],
  ['delete_rekeyed_events_job', {}],
  ['purge_unused_keys_job', { grace_ms: HOUR_MS }],
  ['prekey_replenishment_job', {}],
  ['share_keys_job', {}],
  ['request_keys_job', {}],
  ['release_waiting_job', {}],
  ['purge_unused_keys_job', { grace_ms: 0 }],
] as const;
const SCHEDULED = JOBS.slice(0, 8);

/** How time goes on once all are connected: others' turns, the grace of keys, the grace of what carried them; as long as something is owed. */
const SETTLING = [1, 11, 61, 2, 61, 2, 11, 61, 2, 61, 2, 61];

/** Sealed events that live here and cannot be opened: stored ones without a wrap under a key that is held, waiting ones without any wrap. */
const LOCKED = `
  SELECT lower(hex(e.id)) AS id, 'stored' AS place FROM event e
    WHERE e.sealed = 1 AND e.body IS NOT NULL AND e.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = e.n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL)
  UNION ALL SELECT lower(hex(t.id)), 'waiting' FROM waiting t
    WHERE t.rule <> 'author_not_a_member' AND t.expires_ms > :now_ms AND t.group_id IS NOT NULL AND t.target IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM waiting_wrap v WHERE v.waiting = t.n)
  UNION ALL SELECT lower(hex(t.id)), 'waiting' FROM waiting t
    WHERE t.rule = 'key_missing' AND t.expires_ms > :now_ms AND NOT EXISTS (SELECT 1 FROM waiting_wrap v WHERE v.waiting = t.n)`;
const UNDER = `SELECT lower(hex(e.id)) || ' ' || lower(hex(k.id)) AS id FROM wrap w JOIN event e ON e.n = w.of JOIN group_key k ON k.n = w.key`;
const TOMBSTONES = 'SELECT lower(hex(id)) AS id FROM event WHERE body IS NULL AND superseded = 0';
/** What is on the disk with its body. */
const BODIES = `SELECT lower(hex(id)) AS id, expires_ms FROM event WHERE body IS NOT NULL UNION ALL SELECT lower(hex(id)), expires_ms FROM waiting`;

export interface Meeting {
  /** The meeting is cut off after so many frames. */
  readonly cut?: number;
  readonly twice?: boolean;
  /** So many statements into that frame, whoever receives it dies. */
  readonly crash?: { readonly frame: number; readonly statement: number };
  readonly between?: () => void;
}

interface Link {
  readonly a: Peer;
  readonly b: Peer;
  readonly session_id: string;
}

export class Model {
  readonly world: World;
  readonly pool: Pool;
  readonly peers: Peer[];
  readonly written = new Map<string, Written>();
  readonly log: string[] = [];
  crashes = 0;
  #sessions = 0;
  #syncs = 0;

  constructor(pool: Pool, names: readonly string[], seed: number) {
    const among = names.join('-');
    const base = pool.bases.get(among)!;
    this.pool = pool;
    pool.seed(seed);
    pool.clock.wall = base.wall;
    this.world = new World({ seed, folder: pool.folder }, pool.clock);
    this.world.network_id = base.network_id;
    this.world.channel_id = base.channel_id;
    this.peers = names.map((name) => {
      const { db, node } = pool.take(among, name);
      const peer = { name, db, node, seen: nothing(), backups: [] };
      this.world.nodes.set(name, node);
      return peer;
    });
  }

  get now_ms(): number {
    return this.pool.clock.wall;
  }

  // --- what people do -------------------------------------------------------------------------------------------------------------------

  #command(peer: Peer, name: string, input: object): string | null {
    try {
      return peer.node.engine.command(name, 1, input).event_ids[0] ?? null;
    } catch (thrown) {
      const { name: of, code, message } = thrown as { name: string; code: string; message: string };
      if (of !== 'SottoError' || code === 'assertion_failed') throw thrown;
      this.log.push(`  (refused: ${message.slice(0, 90)})`);
      return null;
    }
  }

  send(peer: Peer, ttl_ms: number): void {
    const label = `m${this.written.size + 1}`;
    this.log.push(`${peer.name} sends ${label}${ttl_ms === 0 ? '' : ` for ${spanOf(ttl_ms)}`}`);
    const text = `${label} by ${peer.name}`;
    const id = this.#command(peer, 'send_message', { channel_id: this.world.channel_id, text, ttl_ms });
    if (id === null) broken('S9', `${peer.name} cannot send`);
    this.written.set(id, {
      label,
      expires_ms: ttl_ms === 0 ? Number.MAX_SAFE_INTEGER : this.now_ms + ttl_ms,
      versions: [{ event_id: id, text, created_ms: this.now_ms }],
      reactions: [],
      deletions: 0,
    });
  }

  #pick(peer: Peer, pick: number): [string, Written] | null {
    const ids = [...peer.seen.shown.keys()];
    const id = ids[pick % Math.max(1, ids.length)];
    return id === undefined ? null : [id, this.written.get(id)!];
  }

  edit(peer: Peer, pick: number): void {
    const picked = this.#pick(peer, pick);
    if (picked !== null) this.#edit(peer, ...picked);
  }

  /** Two of them edit the same message, or one edits what the other deletes, without knowing of each other. */
  conflict(peer: Peer, other: Peer, pick: number): void {
    const picked = this.#pick(peer, pick);
    if (picked === null || !other.seen.shown.has(picked[0])) return;
    this.#edit(peer, ...picked);
    if (pick % 4 === 0) this.#remove(other, ...picked);
    else this.#edit(other, ...picked);
  }

  #edit(peer: Peer, message_id: string, written: Written): void {
    const text = `${written.label} by ${peer.name}, version ${written.versions.length + 1}`;
    this.log.push(`${peer.name} edits ${written.label}: version ${written.versions.length + 1}`);
    const event_id = this.#command(peer, 'edit_message', { message_id, text });
    if (event_id !== null) written.versions.push({ event_id, text, created_ms: this.now_ms });
  }

  remove(peer: Peer, pick: number): void {
    const picked = this.#pick(peer, pick);
    if (picked !== null) this.#remove(peer, ...picked);
  }

  #remove(peer: Peer, message_id: string, written: Written): void {
    this.log.push(`${peer.name} deletes ${written.label}`);
    if (this.#command(peer, 'remove_message', { message_id }) !== null) written.deletions += 1;
  }

  react(peer: Peer, pick: number): void {
    const picked = this.#pick(peer, pick);
    if (picked === null) return;
    const [message_id, written] = picked;
    this.log.push(`${peer.name} reacts to ${written.label}`);
    const id = this.#command(peer, 'react', { message_id, emoji: pick % 2 === 0 ? '👍' : '🎉' });
    if (id !== null) written.reactions.push(id);
  }

  // --- what happens to devices -----------------------------------------------------------------------------------------------------------

  /** Runs a job until its batch is not full. Returns how many envelopes came of it. */
  job(peer: Peer, name: string, params: Record<string, unknown> = {}): number {
    const { engine, clock } = peer.node;
    const job = quietProtocol.jobs.get(name)!;
    return engine.transact((transaction) => {
      const scope = engine.scope(1, transaction.now_ms);
      const occurrence = { scheduled_for_ms: clock.wall, missed: 0, attempt: 0 };
      const checked = job.value.check.parse(params) as Record<string, unknown>;
      const envelopes = engine.pure.job(job, checked, scope, occurrence);
      if (envelopes.length === 0) return 0;
      const cause = { kind: 'job', name, scheduled_for_ms: clock.wall } as const;
      const { rejected, failed } = transaction.submit(1, cause, envelopes);
      const own = rejected.filter((one) => one.own);
      if (own.length + failed.length > 0)
        broken('F3', `${name} on ${peer.name}: ${JSON.stringify({ rejected: own, failed })}`);
      return envelopes.length;
    });
  }

  jobs(peer: Peer): number {
    let emitted = 0;
    for (const [name, params] of SCHEDULED) emitted += this.job(peer, name, params);
    this.world.receipt(peer.name);
    return emitted;
  }

  /** Lets the process die so many statements into something, and starts it anew. */
  dying(peer: Peer, statement: number, run: () => void): boolean {
    peer.db.left = statement;
    try {
      run();
      return false;
    } catch (thrown) {
      if (!(thrown instanceof DiskFull)) throw thrown;
      this.crashes += 1;
      this.restart(peer);
      return true;
    } finally {
      peer.db.left = Number.POSITIVE_INFINITY;
    }
  }

  restart(peer: Peer): void {
    this.#noFailures(peer);
    peer.db.recover();
    peer.node = this.pool.reopen(peer.db);
    this.world.nodes.set(peer.name, peer.node);
    // The host finishes at the start what was cut short.
    this.world.receipt(peer.name);
  }

  backup(peer: Peer): void {
    this.log.push(`${peer.name} is backed up`);
    peer.db.backup();
    peer.backups.push(copyOf(peer.seen));
  }

  restore(peer: Peer): void {
    this.log.push(
      `${peer.name} is restored from ${peer.backups.length === 0 ? 'the beginning' : 'its last backup'}`,
    );
    peer.db.restore(peer.backups.length === 0 ? 'beginning' : 'backup');
    peer.seen = copyOf(peer.backups.at(-1) ?? nothing());
    this.restart(peer);
    this.check(peer);
  }

  destroy(peer: Peer): void {
    this.log.push(`${peer.name} is destroyed`);
    this.peers.splice(this.peers.indexOf(peer), 1);
  }

  // --- how they meet ------------------------------------------------------------------------------------------------------------------------

  #open(a: Peer, b: Peer): Link {
    const link = { a, b, session_id: `s${this.#sessions++}` };
    this.#told(link, 'opened');
    return link;
  }

  #told({ a, b, session_id }: Link, state: string): void {
    for (const [peer, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const device_id = other.node.engine.identity(1)?.device_id;
      peer.node.engine.instruct(1, 'test', 'session', { session_id, device_id, state });
    }
  }

  /** Carries frames until all are silent. Returns how many there were, and their bytes; \`cut\`: whether somebody died or the wire was cut. */
  #pump(links: readonly Link[], meeting: Meeting = {}): { frames: number; bytes: number; cut: boolean } {
    let frames = 0;
    let bytes = 0;
    for (let turn = 0; turn < 2_000; turn++) {
      let moved = false;
      for (const { a, b, session_id } of links) {
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const) {
          const items = from.node.takeItems(session_id);
          if (items.length === 0) continue;
          moved = true;
          if (frames >= (meeting.cut ?? Number.POSITIVE_INFINITY)) return { frames, bytes, cut: true };
          const frame = encodeFrame(items);
          const device_id = from.node.engine.identity(1)?.device_id ?? '';
          const receive = () => to.node.engine.receive(1, { session_id, device_id }, frame);
          if (meeting.crash?.frame === frames) {
            if (this.dying(to, meeting.crash.statement, receive)) return { frames, bytes, cut: true };
          } else receive();
          if (meeting.twice === true) receive();
          frames += 1;
          bytes += frame.length;
        }
      }
      if (!moved) return { frames, bytes, cut: false };
    }
    return broken(
      'L9',
      `${links.map(({ a, b }) => `${a.name} and ${b.name}`).join(', ')} do not fall silent`,
    );
  }

  meet(a: Peer, b: Peer, meeting: Meeting = {}): { frames: number; bytes: number } {
    const link = this.#open(a, b);
    const went = this.#pump([link], meeting);
    if (!went.cut && meeting.between !== undefined) {
      meeting.between();
      for (const peer of [a, b]) this.job(peer, 'sync_job', { network_id: this.world.network_id });
      this.#pump([link]);
    }
    this.#told(link, 'closed');
    for (const peer of [a, b]) peer.node.effects.length = 0;
    return went;
  }

  /** Connects everybody with everybody. */
  #connect(): Link[] {
    const links = this.peers.flatMap((a, at) => this.peers.slice(at + 1).map((b) => this.#open(a, b)));
    this.#pump(links);
    return links;
  }

  #sync(links: readonly Link[]): { frames: number; bytes: number } {
    // One side of each link begins, each in its turn.
    const order = this.#syncs++ % 2 === 0 ? this.peers : this.peers.toReversed();
    for (const peer of order.slice(0, -1)) this.job(peer, 'sync_job', { network_id: this.world.network_id });
    return this.#pump(links);
  }

  /** While all are connected: everybody runs the jobs, and tells the others. */
  #together(links: readonly Link[]): { frames: number; bytes: number; emitted: number } {
    let emitted = 0;
    for (const peer of this.peers) emitted += this.jobs(peer);
    const said = this.#sync(links);
    for (const peer of this.peers) peer.node.effects.length = 0;
    return { ...said, emitted };
  }

  // --- what must hold ---------------------------------------------------------------------------------------------------------------------

  messages(peer: Peer): { message_id: string; text: string }[] {
    try {
      return peer.node.query('get_messages', { channel_id: this.world.channel_id, limit: 1_000 });
    } catch (thrown) {
      return broken('S4', `${peer.name} cannot show its messages: ${(thrown as Error).message}`);
    }
  }

  ids(peer: Peer, sql: string): Set<string> {
    return new Set(
      peer.node.db
        .prepare(sql)
        .all({ now_ms: this.now_ms })
        .map((row) => row.id as string),
    );
  }

  /** After every step, of whoever took part in it. */
  check(peer: Peer): void {
    const { seen, name } = peer;
    const shown = new Map<string, number>();
    for (const { message_id, text } of this.messages(peer)) {
      const written = this.written.get(message_id);
      if (written === undefined) broken('S6', `${name} shows a message that nobody wrote`);
      const { label } = written;
      if (written.expires_ms <= this.now_ms) broken('S7', `${name} shows ${label}, which has expired`);
      if (seen.gone.has(message_id)) broken('S7', `${name} shows ${label} again, which it had seen deleted`);
      if (typeof text !== 'string') broken('S4', `${name} shows ${label} without its text`);
      const version = written.versions.findIndex((one) => one.text === text);
      if (version === -1)
        broken('S6', `${name} shows ${label} as ${JSON.stringify(text)}, which nobody wrote`);
      const before = seen.shown.get(message_id);
      if (before !== undefined && isOlder(written.versions[version]!, written.versions[before]!))
        broken('S7', `${name} shows an older version of ${label} again`);
      shown.set(message_id, version);
    }
    const tombstones = this.ids(peer, TOMBSTONES);
    for (const [message_id, written] of this.written) {
      if (!tombstones.has(message_id)) continue;
      if (written.expires_ms > this.now_ms) {
        if (written.deletions === 0)
          broken('S5', `${name} has ${written.label} as dead, which nobody deleted`);
        seen.gone.add(message_id);
      }
    }
    for (const message_id of seen.shown.keys()) {
      const written = this.written.get(message_id)!;
      if (shown.has(message_id) || written.expires_ms <= this.now_ms || seen.gone.has(message_id)) continue;
      broken('S4', `${name} cannot read ${written.label} any more`);
    }
    for (const { id, place } of peer.node.db.prepare(LOCKED).all({ now_ms: this.now_ms }))
      broken('S4', `${name} holds no key any more for ${this.nameOf(id as string)} (${String(place)})`);
    for (const event_id of this.#deadOf(
      peer,
      this.ids(peer, 'SELECT lower(hex(id)) AS id FROM event WHERE body IS NOT NULL'),
    ))
      broken('S7', `${name} has the body of ${this.nameOf(event_id)}, which is dead, on its disk`);
    for (const id of this.ids(peer, UNDER)) seen.under.add(id);
    seen.shown = shown;
  }

  /** Of these, what belongs to something deleted, or is an older version than what is shown. */
  #deadOf({ seen }: Peer, bodies: ReadonlySet<string>): string[] {
    return [...this.written].flatMap(([message_id, { versions, reactions }]) => {
      const newest = seen.shown.get(message_id);
      const dead = seen.gone.has(message_id)
        ? [...versions.map((one) => one.event_id), ...reactions]
        : versions
            .filter((one) => newest !== undefined && isOlder(one, versions[newest]!))
            .map((one) => one.event_id);
      return dead.filter((event_id) => bodies.has(event_id));
    });
  }

  nameOf(event_id: string): string {
    for (const [message_id, { label, versions, reactions }] of this.written) {
      if (message_id === event_id) return label;
      const version = versions.findIndex((one) => one.event_id === event_id);
      if (version !== -1) return `version ${version + 1} of ${label}`;
      if (reactions.includes(event_id)) return `a reaction to ${label}`;
    }
    return `event ${event_id.slice(12, 20)}`;
  }

  #noFailures(peer: Peer): void {
    const failed = peer.node.engine.trace
      .read(10_000, this.#since.get(peer.node) ?? 0)
      .filter(({ outcome }) => outcome === 'failed');
    if (failed.length > 0)
      broken(
        'F3',
        `${peer.name}: ${failed.map(({ handler, type, why }) => `${handler} ${type}: ${why}`).join('; ')}`,
      );
  }
  readonly #since = new Map<TestNode, number>();
  /** Where each engine's trace begins for this case. */
  begin(): void {
    for (const { node } of this.peers) this.#since.set(node, (node.engine.trace.read(1)[0]?.entry ?? -1) + 1);
  }

  /** Faults are over, and people stay connected. Then everybody must have the same, nothing may be owed, and all must be silent. */
  settle(): void {
    this.log.push('-- all are connected from here on');
    for (const peer of this.peers) {
      this.#forgetOpened(peer);
      this.check(peer);
    }
    const links = this.#connect();
    for (const [at, pause] of SETTLING.entries()) {
      if (at > 2 && !this.peers.some((peer) => this.#owes(peer))) break;
      this.pool.clock.pass(pause * MINUTE_MS);
      this.#together(links);
    }
    for (const peer of this.peers) this.#forgetOpened(peer);
    for (const peer of this.peers) {
      this.check(peer);
      this.#noFailures(peer);
    }
    this.#same();
    for (const peer of this.peers) this.#forgotten(peer);
    this.#silent(links);
  }

  /** What was opened is not kept in memory: whether it opens is asked of the keys. */
  #forgetOpened(peer: Peer): void {
    for (const { versions } of this.written.values())
      for (const { event_id } of versions) forgetOpened(peer.db, event_id);
  }

  #owes(peer: Peer): boolean {
    const keys = peer.node.query<KeyState>('get_key_states');
    return keys.some(
      (key) =>
        (key.dirty_ms !== null && key.unreachable_ms === null) ||
        (key.expires_ms <= this.now_ms && key.zeroed_ms === null),
    );
  }

  #same(): void {
    const params = { channel_id: this.world.channel_id, limit: 1_000 };
    const views = this.peers.map((peer) =>
      [
        ...peer.node.query('get_messages', params).map((row) => {
          const { message_id, text, edited_ms } = row as {
            message_id: string;
            text: string;
            edited_ms: number;
          };
          return `${this.written.get(message_id)?.label}: ${text} ${edited_ms}`;
        }),
        ...peer.node.query('get_reactions', params).map((row) => {
          const { message_id, emoji, count } = row as { message_id: string; emoji: string; count: number };
          return `${this.written.get(message_id)?.label} ${emoji} ${count}`;
        }),
      ].sort(),
    );
    for (const [at, view] of views.entries()) {
      if (JSON.stringify(view) !== JSON.stringify(views[0]))
        broken(
          'L2',
          `${this.peers[0]!.name} shows ${JSON.stringify(views[0])}, ${this.peers[at]!.name} ${JSON.stringify(view)}`,
        );
    }
  }

  #forgotten(peer: Peer): void {
    const { name } = peer;
    const keys = peer.node.query<KeyState>('get_key_states');
    for (const [at, key] of keys.entries()) {
      const what = `key ${at + 1} of ${keys.length} of ${name} ${JSON.stringify({ ...key, key_id: key.key_id.slice(0, 8), group_id: undefined, channel_id: undefined, now: this.now_ms })}`;
      if (key.dirty_ms !== null && (this.peers.length > 1 ? key.unreachable_ms : key.zeroed_ms) === null)
        broken('L4', `dirty and not out of reach: ${what}`);
      if (key.expires_ms < this.now_ms - 10 * MINUTE_MS && key.zeroed_ms === null)
        broken('L4', `expired and not erased: ${what}`);
      if (key.to_rewrap + key.to_remove > 0) broken('L4', `owed: ${what}`);
    }
    // Whoever saw under which key something dead was says so, if it is still there.
    const held = this.ids(peer, 'SELECT lower(hex(id)) AS id FROM group_key WHERE slot IS NOT NULL');
    for (const under of new Set(this.peers.flatMap((one) => [...one.seen.under]))) {
      const [event_id, key_id] = under.split(' ') as [string, string];
      if (held.has(key_id) && this.#deadOf(peer, new Set([event_id])).length > 0)
        broken(
          'L4',
          `${name} holds key ${key_id.slice(0, 8)}, under which ${this.nameOf(event_id)} was, which is dead`,
        );
    }
    const stored = new Set(
      this.peers.flatMap((one) => [
        ...this.ids(one, 'SELECT lower(hex(id)) AS id FROM event WHERE body IS NOT NULL'),
      ]),
    );
    for (const row of peer.node.db
      .prepare(`SELECT lower(hex(id)) AS id, rule, lower(hex(target)) AS target FROM waiting`)
      .all()) {
      const id = row.id as string;
      if (stored.has(id))
        broken('L2', `${this.nameOf(id)} waits on ${name} (${String(row.rule)}), and others have it`);
      if (peer.seen.gone.has(row.target as string) && this.nameOf(id).startsWith('version'))
        broken('S7', `${this.nameOf(id)} waits on ${name}, and is dead`);
    }
    const bodies = peer.node.db.prepare(BODIES).all();
    for (const { id, expires_ms } of bodies)
      if ((expires_ms as number) < this.now_ms - 10 * MINUTE_MS)
        broken('S7', `${name} has the body of ${this.nameOf(id as string)}, which has expired`);
    for (const id of this.#deadOf(peer, new Set(bodies.map((row) => row.id as string))))
      broken('S7', `${name} has the body of ${this.nameOf(id)}, which is dead, on its disk at the end`);
  }

  #silent(links: readonly Link[]): void {
    const size = () =>
      JSON.stringify(
        this.peers.map((peer) =>
          peer.node.all('SELECT (SELECT max(n) FROM event) AS e, (SELECT max(n) FROM group_key) AS k'),
        ),
      );
    let said = '';
    for (let round = 0; round < 3; round++) {
      this.pool.clock.pass(MINUTE_MS);
      const before = size();
      const { frames, bytes, emitted } = this.#together(links);
      said = JSON.stringify({ frames, bytes, emitted, grew: before !== size() });
      const is_waiting = this.peers.some((peer) => peer.node.all('SELECT 1 FROM waiting LIMIT 1').length > 0);
      if (
        emitted === 0 &&
        before === size() &&
        frames <= links.length * (is_waiting ? 8 : 2) &&
        bytes <= links.length * 4_000
      )
        return;
    }
    broken('L9', `it does not become quiet: ${said}`);
  }
}

interface KeyState {
  readonly key_id: string;
  readonly group_id: string;
  readonly channel_id: string | null;
  readonly expires_ms: number;
  readonly dirty_ms: number | null;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
  readonly to_rewrap: number;
  readonly to_remove: number;
}

const isOlder = (a: Version, b: Version): boolean =>
  a.created_ms < b.created_ms || (a.created_ms === b.created_ms && a.event_id < b.event_id);

export const spanOf = (ms: number): string =>
  ms >= DAY_MS
    ? `${ms / DAY_MS} d`
    : ms >= HOUR_MS
      ? `${ms / HOUR_MS} h`
      : `${Math.round(ms / MINUTE_MS)} min`;
