/**
 * Data directories with histories in them, made once per invocation and copied for whoever changes them. A history is written by the engine itself,
 * through the same pipeline as everything that people say: only the commits do not wait for the disk, and its messages are dated into the past.
 */
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../../core/engine.ts';
import { event } from '../../core/envelope.ts';
import { assembleProtocol } from '../../core/protocol.ts';
import { message } from '../../protocols/quiet/events/message/schema.ts';
import { quiet } from '../../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { allAgree, syncEmptyPeer } from './syncing.ts';
import { CHANNEL, textOf } from './texts.ts';

/** Messages that are written in one transaction, at one time, and how far apart these times are: ten messages a second. */
const AT_ONCE = 20;
const APART_MS = 2_000;

/** Two nodes' data directories. */
export interface Pair {
  readonly alice: string;
  readonly bob: string;
}

export class Stores {
  readonly #folder: string;
  readonly #say: (text: string) => void;
  #copies = 0;

  constructor(folder: string, say: (text: string) => void) {
    this.#folder = folder;
    this.#say = say;
    mkdirSync(folder, { recursive: true });
  }

  /** The data directory of Alice, who has founded a network and said `count` things in it. Not to be changed. */
  solo(count: number): string {
    const data_dir = join(this.#folder, `solo-${count}`);
    if (!existsSync(data_dir)) {
      const unfinished = `${data_dir}.unfinished`;
      rmSync(unfinished, { recursive: true, force: true });
      mkdirSync(unfinished, { recursive: true, mode: 0o700 });
      writeHistory(join(unfinished, 'sotto.db'), count, this.#say);
      renameSync(unfinished, data_dir);
    }
    return data_dir;
  }

  /** The same after Bob has joined and fetched everything. Not to be changed. */
  async pair(count: number): Promise<Pair> {
    const kept = this.#pairPaths(count);
    if (existsSync(kept.bob)) return kept;
    this.#say(`a second node fetches ${count} messages`);
    const alice = this.copy(this.solo(count));
    const bob = this.empty();
    const { nodes } = await syncEmptyPeer({ alice, bob, count, say: this.#say });
    await allAgree(nodes);
    for (const node of nodes) await node.stop();
    return this.keepPair(count, { alice, bob });
  }

  /** Takes over what a sync has left, for those who need two nodes that agree. */
  keepPair(count: number, pair: Pair): Pair {
    const kept = this.#pairPaths(count);
    if (existsSync(kept.bob)) {
      this.drop(pair.alice);
      this.drop(pair.bob);
    } else {
      renameSync(pair.alice, kept.alice);
      renameSync(pair.bob, kept.bob);
    }
    return kept;
  }

  #pairPaths(count: number): Pair {
    return { alice: join(this.#folder, `pair-${count}-alice`), bob: join(this.#folder, `pair-${count}-bob`) };
  }

  /** A copy to be changed, on the disk before it is used: what is still on its way there would make the first commits wait. */
  copy(data_dir: string): string {
    const copy = this.empty();
    cpSync(data_dir, copy, { recursive: true });
    for (const name of readdirSync(copy)) {
      const file = openSync(join(copy, name), 'r+');
      fsyncSync(file);
      closeSync(file);
    }
    return copy;
  }

  copyPair({ alice, bob }: Pair): Pair {
    return { alice: this.copy(alice), bob: this.copy(bob) };
  }

  /** A place for a data directory. */
  empty(): string {
    return join(this.#folder, `copy-${++this.#copies}`);
  }

  drop(data_dir: string): void {
    rmSync(data_dir, { recursive: true, force: true });
  }
}

function writeHistory(path: string, count: number, say: (text: string) => void): void {
  const db = openNodeSqlite(path);
  const begin_ms = Date.now() - Math.ceil(count / AT_ONCE) * APART_MS;
  let now_ms = begin_ms;
  const engine = new Engine({
    db,
    protocol: assembleProtocol([quiet]),
    clock: { wall_ms: () => now_ms, monotonic_ms: () => performance.now() },
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    after_commit: () => {},
  });
  engine.command('create_network', 0, { name: 'Bench', user_name: 'alice' });
  const channels = engine.query('get_channels', {}, 1) as readonly { channel_id: string; name: string }[];
  const channel_id = channels.find(({ name }) => name === CHANNEL)!.channel_id;
  db.exec('PRAGMA synchronous = OFF');
  const cause = { kind: 'command', name: 'send_message' } as const;
  for (let n = 0; n < count; now_ms += APART_MS) {
    engine.transact((transaction) => {
      for (const end = Math.min(count, n + AT_ONCE); n < end; n++) {
        const said = event(message, { channel_id, text: textOf(n) }, { ttl_ms: 0, stream_id: channel_id });
        const { event_ids, rejected, failed } = transaction.submit(1, cause, [said]);
        if (event_ids[0] === null || rejected.length + failed.length > 0)
          throw new Error(`message ${n} was not taken: ${rejected[0]?.rule ?? failed[0]?.error_class}`);
      }
    });
    if (n % 50_000 === 0 || n === count) say(`${n} of ${count} messages written`);
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}
