import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Db } from '../core/db.ts';
import { decodeFrame, encodeEventItem, encodeFrame } from '../core/frame-codec.ts';
import { decodeHeader } from '../core/header-codec.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { DiskFull, FailingDb } from './failing-db.ts';
import {
  awayMember,
  canonicalDump,
  foundNetwork,
  joinNetwork,
  openedDb,
  type StoredEvent,
  seededRandom,
  storedEvents,
  TestClock,
  TestNode,
  temporaryFolder,
  wire,
} from './support.ts';

/** Everything in the database, row by row. */
function everything(node: TestNode): string {
  return node
    .all(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .map(({ name }) => JSON.stringify([name, node.all(`SELECT * FROM ${String(name)}`)]))
    .join('\n');
}

interface Delivery {
  /** Gives the file of another node that is about to receive the frame. */
  readonly receiver: () => string;
  readonly clock: TestClock;
  readonly from: string;
  readonly frame: Uint8Array;
}

/** Lets the process die at every statement (of many, at ever fewer), opens the file anew, and gives it the frame again. Returns node and deaths. */
function crashEverywhere({ receiver, clock, from, frame }: Delivery): {
  undisturbed: TestNode;
  crashes: number;
} {
  const session = { session_id: 'test', device_id: from };
  const running = (db: Db) => new TestNode({ clock, random: seededRandom(3), db });
  const undisturbed = running(openedDb(receiver()));
  const before = everything(undisturbed);
  undisturbed.engine.receive(1, session, frame);
  const whole = everything(undisturbed);
  expect(whole).not.toBe(before);
  // Again on the whole: nothing of it happens twice.
  const rows = canonicalDump(undisturbed);
  undisturbed.engine.receive(1, session, frame);
  expect(canonicalDump(undisturbed)).toBe(rows);

  let crashes = 0;
  for (let fail_at = 0; ; fail_at += 1 + Math.floor(fail_at / 20)) {
    const path = receiver();
    const failing = new FailingDb(openNodeSqlite(path));
    const node = running(failing);
    failing.left = fail_at;
    let done = false;
    try {
      node.engine.receive(1, session, frame);
      done = true;
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(DiskFull);
      crashes += 1;
    }
    expect(node.effects.length === 0).toBe(!done);
    // The process is gone: what it had open is closed without a word, and another opens the file.
    failing.close();
    const after = running(openedDb(path));
    expect(everything(after)).toBe(done ? whole : before);
    after.engine.receive(1, session, frame);
    expect(canonicalDump(after)).toBe(rows);
    if (!done) expect(everything(after)).toBe(whole);
    after.db.close();
    if (done) break;
  }
  return { undisturbed, crashes };
}

/** Copies of a node as it is now. */
function copies(node: TestNode): () => string {
  const saved = join(temporaryFolder(), 'saved.db');
  node.db.prepare('VACUUM INTO :path').all({ path: saved });
  return () => {
    const path = join(temporaryFolder(), 'sotto.db');
    copyFileSync(saved, path);
    return path;
  };
}

const itemsOf = (events: readonly StoredEvent[]) => encodeFrame(events.map(encodeEventItem));
const device = (node: TestNode) => node.engine.identity(1)?.device_id ?? '';

describe('S16, F1, F3: a crash at any statement leaves all of a frame or none, and the frame again completes it', () => {
  let clock: TestClock;
  let alice: TestNode;
  let bob: TestNode;
  let channel_id: string;
  let away: () => string;
  const say = (node: TestNode, text: string) =>
    node.engine.command('send_message', 1, { channel_id, text, ttl_ms: 0 }).event_ids[0] ?? '';
  const texts = (node: TestNode) =>
    node.query<{ text: string }>('get_messages', { channel_id, limit: 9 }).map(({ text }) => text);

  beforeEach(() => {
    clock = new TestClock();
    alice = new TestNode({ clock, random: seededRandom(1) });
    bob = new TestNode({ clock, random: seededRandom(2) });
    ({ channel_id } = foundNetwork(alice));
    away = awayMember(alice, seededRandom(4));
    joinNetwork(alice, bob);
    wire(alice, bob);
  });

  it('a history out of order, in which events wait and are released, are edited and die', () => {
    const message_id = say(alice, 'one');
    const edited = say(alice, 'two');
    wire(alice, bob);
    bob.engine.command('react', 1, { message_id, emoji: '👍' });
    wire(alice, bob);
    const before_deletion = storedEvents(alice);
    alice.engine.command('remove_message', 1, { message_id });
    alice.engine.command('edit_message', 1, { message_id: edited, text: 'second' });
    const frame = itemsOf([...storedEvents(alice), ...before_deletion].toReversed());
    const { undisturbed, crashes } = crashEverywhere({ receiver: away, clock, from: 'ab'.repeat(32), frame });
    expect(texts(undisturbed)).toEqual(['second']);
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);

  it('the introduction of a newcomer, who is let in and given the keys', () => {
    say(alice, 'one');
    const carol = new TestNode({ clock, random: seededRandom(5) });
    joinNetwork(alice, carol);
    const receiver = copies(alice);
    const frames: Uint8Array[] = [];
    wire(alice, carol, (frame) => {
      frames.push(frame);
      return [frame];
    });
    // The one that holds events and was sent to Alice: what Carol says for herself.
    const frame = frames.find((one) =>
      decodeFrame(one).some(
        (item) => item.item === 'event' && decodeHeader(item.raw.header).author === device(carol),
      ),
    );
    const { undisturbed, crashes } = crashEverywhere({ receiver, clock, from: device(carol), frame: frame! });
    expect(undisturbed.query('is_member', { device_id: device(carol) })).toHaveLength(1);
    // What belongs to no channel, and `general`.
    const given = `SELECT count(*) AS keys FROM key_delivery WHERE hex(device) = '${device(carol).toUpperCase()}'`;
    expect(undisturbed.all(given)).toEqual([{ keys: 2 }]);
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);

  it('a removal that withdraws events, with all that hangs on them', () => {
    const eve = new TestNode({ clock, random: seededRandom(6) });
    joinNetwork(alice, eve);
    wire(alice, eve);
    say(eve, 'before');
    wire(alice, eve);
    wire(alice, bob);
    // Bob hears more of Eve than Alice does before she removes her.
    const withdrawn = say(eve, 'after');
    wire(eve, bob);
    bob.engine.command('react', 1, { message_id: withdrawn, emoji: '👎' });
    expect(texts(bob).toSorted()).toEqual(['after', 'before']);
    const known = new Set(storedEvents(bob).map(({ event_id }) => event_id));
    const user = alice.query<{ user_id: string }>('get_user_of_device', { device_id: device(eve) })[0];
    alice.engine.command('remove_user', 1, { user_id: user?.user_id, group_id: null });
    say(alice, 'without eve');
    const frame = itemsOf(storedEvents(alice).filter(({ event_id }) => !known.has(event_id)));
    const { undisturbed, crashes } = crashEverywhere({
      receiver: copies(bob),
      clock,
      from: device(alice),
      frame,
    });
    expect(texts(undisturbed).toSorted()).toEqual(['before', 'without eve']);
    expect(undisturbed.query('get_waiting')).toEqual([
      { rule: 'author_removed', waiting: 1 },
      { rule: 'dependency_missing', waiting: 1 },
    ]);
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);
});

describe('S16, F1: a fault of the storage', () => {
  it('a command that fails at any statement has not happened, and can be given again', () => {
    const path = join(temporaryFolder(), 'sotto.db');
    const failing = new FailingDb(openedDb(path));
    const node = new TestNode({ db: failing });
    failing.stays_broken = false;
    const { channel_id } = foundNetwork(node);
    const send = () => node.engine.command('send_message', 1, { channel_id, text: 'hello', ttl_ms: 0 });
    let sent = false;
    for (let fail_at = 0; !sent && fail_at < 1_000; fail_at++) {
      const before = everything(node);
      failing.left = fail_at;
      try {
        send();
        sent = true;
      } catch {
        failing.left = Number.POSITIVE_INFINITY;
        expect(everything(node)).toEqual(before);
      }
      failing.left = Number.POSITIVE_INFINITY;
    }
    expect(node.query('get_messages', { channel_id, limit: 5 })).toHaveLength(1);
  }, 60_000);
});
