/**
 * A small network of engines for stories and property tests: people with devices, who meet when a test says so. Everything runs on real SQLite
 * files, without waiting for the disk; clocks stand until they are turned.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../core/clock.ts';
import type { RawEvent, Wrap } from '../core/envelope.ts';
import { encodeEventItem } from '../core/frame-codec.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import {
  foundNetwork,
  openedDb,
  seededRandom,
  TestClock,
  TestNode,
  temporaryFolder,
  wire,
} from './support.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly folder?: string;
}

export class World {
  readonly clock: TestClock;
  readonly nodes = new Map<string, TestNode>();
  readonly folder: string;
  readonly seed: number;
  channel_id = '';
  network_id = '';

  constructor({ seed, folder }: WorldOptions, clock = new TestClock()) {
    this.seed = seed;
    this.clock = clock;
    this.folder = folder ?? temporaryFolder();
  }

  /** A node of that name, over its file in the folder. */
  node(name: string): TestNode {
    const known = this.nodes.get(name);
    if (known !== undefined) return known;
    const db = openedDb(join(this.folder, `${name}.db`), openNodeSqlite);
    db.exec('PRAGMA synchronous = OFF');
    const node = new TestNode({ clock: this.clock, db, random: this.randomOf(name, this.seed) });
    this.nodes.set(name, node);
    return node;
  }

  protected randomOf(name: string, seed: number): Random {
    return seededRandom(seed * 31 + [...name].reduce((sum, letter) => sum * 7 + letter.charCodeAt(0), 0));
  }

  found(name: string): TestNode {
    const node = this.node(name);
    const { network_id, channel_id } = foundNetwork(node);
    this.network_id = network_id;
    this.channel_id = channel_id;
    return node;
  }

  /** Joins by an invite of `host`, meets the host, and takes a name. */
  join(host: string, name: string): TestNode {
    const node = this.node(name);
    this.useInvite(this.invite(host), node);
    this.meet(host, name);
    node.engine.command('set_profile', 1, { name });
    return node;
  }

  invite(host: string, uses = 1) {
    const made = this.node(host).engine.command('create_invite', 1, { uses, ttl_ms: 7 * 86_400_000 });
    return { made, user_id: null as string | null };
  }

  /** A further device of `owner`'s user. */
  link(owner: string, name: string): TestNode {
    const made = this.node(owner).engine.command('create_device_link', 1, { ttl_ms: 86_400_000 });
    const node = this.node(name);
    this.useInvite({ made, user_id: this.userOf(owner) }, node);
    this.meet(owner, name);
    return node;
  }

  useInvite(
    { made, user_id }: { made: ReturnType<TestNode['engine']['command']>; user_id: string | null },
    node: TestNode,
  ): void {
    const input = {
      network_id: this.network_id,
      invite_id: made.event_ids[1],
      invite_key: made.reply.public_key,
    };
    const secret = { invite_secret: (made.reply.secret as Uint8Array).slice() };
    if (user_id === null) node.engine.command('join_network', 0, input, secret);
    else node.engine.command('link_this_device', 0, { ...input, user_id }, secret);
  }

  meet(a: string, b: string, carry?: (frame: Uint8Array) => Uint8Array[]): { frames: number; bytes: number } {
    return wire(this.node(a), this.node(b), carry);
  }

  /** Everybody meets everybody, until nothing is new. */
  gather(names: readonly string[] = [...this.nodes.keys()]): void {
    for (let round = 0; round < 4; round++)
      for (const [at, a] of names.entries()) for (const b of names.slice(at + 1)) this.meet(a, b);
  }

  device(name: string): string {
    return this.node(name).engine.identity(1)?.device_id ?? '';
  }

  userOf(name: string, seen_by = name): string {
    const rows = this.node(seen_by).query<{ user_id: string }>('get_user_of_device', {
      device_id: this.device(name),
    });
    return rows[0]?.user_id ?? '';
  }

  say(name: string, text: string, channel_id = this.channel_id, ttl_ms = 0): string {
    this.clock.pass(1);
    return this.node(name).engine.command('send_message', 1, { channel_id, text, ttl_ms }).event_ids[0] ?? '';
  }

  read(name: string, channel_id = this.channel_id): string[] {
    return this.node(name)
      .query<{ text: string }>('get_messages', { channel_id, limit: 1_000 })
      .map((message) => message.text)
      .reverse();
  }

  /** Runs a job as its schedule would. Returns how many envelopes it emitted. */
  runJob(name: string, job_name: string, params: Record<string, unknown> = {}): number {
    return this.node(name).runJob(job_name, params);
  }

  /** What the host does after a purge, without the disk: receipts for all that was zeroed. */
  receipt(name: string): void {
    const { engine } = this.node(name);
    const { until } = engine.query('get_open_purges', {}, 0)[0] as { until: number | null };
    if (until !== null) engine.instruct(0, 'test', 'purge-receipt', { until });
  }

  /** The whole chain once on one device, in the founding document's order. Each job drained. */
  forget(name: string, grace_ms = 3_600_000): void {
    for (const job of [
      'ttl_cleanup_job',
      'rekey_creation_job',
      'rekey_creation_job',
      'delete_rekeyed_events_job',
    ])
      while (this.runJob(name, job) >= 4);
    for (let run = 0; run < 2; run++) while (this.runJob(name, 'purge_unused_keys_job', { grace_ms }) >= 64);
    this.receipt(name);
    this.runJob(name, 'prekey_replenishment_job');
  }

  waiting(name: string): Record<string, number> {
    const rows = this.node(name).query<{ rule: string; waiting: number }>('get_waiting');
    return Object.fromEntries(rows.map(({ rule, waiting }) => [rule, waiting]));
  }

  /** Writes everything to the files and lets go of them. */
  close(): void {
    for (const node of this.nodes.values()) {
      node.db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      node.db.close();
    }
    this.nodes.clear();
  }

  /** The same world again, from copies of its files. */
  copy(seed: number): World {
    const world = new World({ seed });
    world.clock.wall = this.clock.wall;
    world.clock.monotonic = this.clock.monotonic;
    world.channel_id = this.channel_id;
    world.network_id = this.network_id;
    return world;
  }

  take(from: World, name: string): TestNode {
    copyFileSync(join(from.folder, `${name}.db`), join(this.folder, `${name}.db`));
    return this.node(name);
  }
}

const STORED = `
  SELECT e.n, e.id, e.header, e.signature, e.body, k.id AS key_id, w.sealed AS wrap
  FROM event e LEFT JOIN wrap w ON w.of = e.n AND w.sealed IS NOT NULL LEFT JOIN group_key k ON k.n = w.key
  WHERE e.n > :since AND e.body IS NOT NULL ORDER BY e.id, k.id`;

/** Every event that a node has now, as it would be sent: with its wraps. By id. `since`: only those it took in after that row. */
export function eventItems(node: TestNode, since = 0): { items: Map<string, Uint8Array>; until: number } {
  const raws = new Map<string, RawEvent & { wraps: Wrap[] }>();
  let until = since;
  for (const row of node.all(STORED, { since })) {
    const id = (row.id as Uint8Array).toHex();
    const raw = raws.get(id) ?? {
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
      wraps: [],
    };
    raws.set(id, raw);
    until = Math.max(until, row.n as number);
    if (row.key_id instanceof Uint8Array)
      raw.wraps.push({ key_id: row.key_id.toHex(), sealed: row.wrap as Uint8Array });
  }
  return { items: new Map([...raws].map(([id, raw]) => [id, encodeEventItem(raw)])), until };
}
