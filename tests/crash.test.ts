import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Db, Statement } from '../core/db.ts';
import { encodeEventItem, encodeFrame } from '../core/event-codec.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { storedEvents } from './hostile.ts';
import {
  canonicalDump,
  foundNetwork,
  joinNetwork,
  openedDb,
  seededRandom,
  TestClock,
  TestNode,
  temporaryFolder,
  wire,
} from './support.ts';

/** A storage fault as SQLite reports it. */
class DiskFull extends Error {
  readonly errcode = 13;
}

/** A database that fails after `left` more statements. */
class FailingDb implements Db {
  left = Number.POSITIVE_INFINITY;
  /** Whether it goes on failing: a process that died; else a disk that was full for a moment. */
  stays_broken = true;
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  #step<T>(run: () => T): T {
    this.left -= 1;
    if (this.left === -1 || (this.left < 0 && this.stays_broken)) throw new DiskFull('the disk is full');
    return run();
  }

  prepare(sql: string): Statement {
    const statement = this.#db.prepare(sql);
    return {
      run: (params) => this.#step(() => statement.run(params)),
      get: (params) => this.#step(() => statement.get(params)),
      all: (params) => this.#step(() => statement.all(params)),
    };
  }

  prepareRead: Db['prepareRead'] = (sql) => this.#db.prepareRead(sql);
  exec: Db['exec'] = (sql) => this.#db.exec(sql);
  setQueryOnly: Db['setQueryOnly'] = (on) => this.#db.setQueryOnly(on);
  scalar: Db['scalar'] = (name, options, fn) => this.#db.scalar(name, options, fn);
  aggregate: Db['aggregate'] = (name, options) => this.#db.aggregate(name, options);
  close: Db['close'] = () => this.#db.close();
}

describe('S16, F1, F3: a crash at any statement', () => {
  it('leaves all of a frame or none, and the frame again completes it', () => {
    const clock = new TestClock();
    const alice = new TestNode({ clock, random: seededRandom(1) });
    const bob = new TestNode({ clock, random: seededRandom(2) });
    const { network_id, channel_id } = foundNetwork(alice);
    joinNetwork(alice, bob, 'bob');
    wire(alice, bob);
    alice.engine.command('send_message', 1, { channel_id, text: 'one', ttl_ms: 0 });
    const doomed = bob.query<{ message_id: string }>('get_messages', { channel_id, limit: 1 });
    expect(doomed).toEqual([]);
    wire(alice, bob);
    const message_id = bob.query<{ message_id: string }>('get_messages', { channel_id, limit: 1 })[0]
      ?.message_id;
    bob.engine.command('react', 1, { message_id, emoji: '👍' });
    wire(alice, bob);
    const before_deletion = storedEvents(alice);
    alice.engine.command('remove_message', 1, { message_id });
    // Out of order, so that events wait and are released.
    const frame = encodeFrame([...storedEvents(alice), ...before_deletion].toReversed().map(encodeEventItem));
    const session = { session_id: 'test', device_id: 'ab'.repeat(32) };

    const newcomer = (db: Db) => {
      const node = new TestNode({ clock, random: seededRandom(3), db });
      if (node.engine.identity(1) === null)
        node.engine.instruct(0, 'test', 'keypair', { purpose: 'device', network_id });
      return node;
    };
    const undisturbed = newcomer(openedDb());
    const empty = canonicalDump(undisturbed);
    undisturbed.engine.receive(1, session, frame);
    const whole = canonicalDump(undisturbed);

    let crashes = 0;
    for (let fail_at = 0; ; fail_at += 1 + Math.floor(fail_at / 40)) {
      const path = join(temporaryFolder(), 'sotto.db');
      const failing = new FailingDb(openNodeSqlite(path));
      const node = newcomer(failing);
      failing.left = fail_at;
      let done = false;
      try {
        node.engine.receive(1, session, frame);
        done = true;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(DiskFull);
        crashes += 1;
      }
      // The process is gone: what it had open is closed without a word, and another opens the file.
      failing.close();
      const after = newcomer(openedDb(path));
      expect(canonicalDump(after)).toBe(done ? whole : empty);
      after.engine.receive(1, session, frame);
      expect(canonicalDump(after)).toBe(whole);
      after.db.close();
      if (done) break;
    }
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);

  it('a command that fails at any statement has not happened, and can be given again', () => {
    const path = join(temporaryFolder(), 'sotto.db');
    const failing = new FailingDb(openedDb(path));
    const node = new TestNode({ db: failing });
    failing.stays_broken = false;
    const { channel_id } = foundNetwork(node);
    const send = () => node.engine.command('send_message', 1, { channel_id, text: 'hello', ttl_ms: 0 });
    let sent = false;
    for (let fail_at = 0; !sent && fail_at < 1_000; fail_at++) {
      const before = { dump: canonicalDump(node), identity: node.all('SELECT last_seq FROM identity') };
      failing.left = fail_at;
      try {
        send();
        sent = true;
      } catch {
        failing.left = Number.POSITIVE_INFINITY;
        expect({ dump: canonicalDump(node), identity: node.all('SELECT last_seq FROM identity') }).toEqual(
          before,
        );
      }
      failing.left = Number.POSITIVE_INFINITY;
    }
    expect(node.query('get_messages', { channel_id, limit: 5 })).toHaveLength(1);
  }, 60_000);
});
