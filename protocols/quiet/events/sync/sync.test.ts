import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../../core/cbor.ts';
import { event } from '../../../../core/envelope.ts';
import {
  decodeFrame,
  decodeHeader,
  encodeBody,
  encodeEventItem,
  encodeFrame,
  encodeTransientItem,
} from '../../../../core/event-codec.ts';
import { eventType } from '../../../../core/event-type.ts';
import { NEVER_MS } from '../../../../core/limits.ts';
import { command, insert, projector } from '../../../../core/sources.ts';
import { signerFromSeed } from '../../../../crypto/sign.ts';
import { forge, storedEvents } from '../../../../tests/hostile.ts';
import { foundNetwork, joinNetwork, overlaid, TestNode, wire } from '../../../../tests/support.ts';
import { openingMessage } from '../../reconcile/negentropy.ts';
import { syncRequest } from './schema.ts';

let alice: TestNode;
let network_id: string;
let channel_id: string;

beforeEach(() => {
  alice = new TestNode();
  ({ network_id, channel_id } = foundNetwork(alice));
});

const nothing = {
  count: () => 0,
  fingerprint: () => '00'.repeat(16),
  ids: () => [],
  alsoKnown: () => [],
  split: () => [],
};

function request(now_ms: number): Uint8Array {
  const body = {
    message: openingMessage(nothing).toHex(),
    need: [],
    cut_ms: now_ms,
    now_ms,
    round: 0,
    asker_progress: 0,
    answerer_progress: 0,
    introduced: false,
  };
  return encodeFrame([encodeTransientItem('sync_request', encodeBody(syncRequest as never, body))]);
}

describe('sync', () => {
  it('E25, F11: a device that is no member is refused, and learns nothing', () => {
    alice.engine.command('send_message', 1, { channel_id, text: 'for members', ttl_ms: 0 });
    alice.engine.receive(1, { session_id: 's', device_id: 'cd'.repeat(32) }, request(alice.clock.wall));
    const items = decodeFrame(encodeFrame(alice.takeItems('s')));
    expect(items).toMatchObject([{ item: 'transient', type: 'sync_refused' }]);
  });

  it('a message of a stranger is not taken in, even well signed', () => {
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const message = alice.engine.command('send_message', 1, { channel_id, text: 'real', ttl_ms: 0 });
    const raw = storedEvents(alice).find((stored) => decodeHeader(stored.header).type === 'message')!;
    const forged = forge(
      { ...decodeHeader(raw.header), author: stranger.public_key.toHex(), seq: 1, prev: null },
      raw.body,
      stranger,
    );
    alice.engine.receive(
      1,
      { session_id: 's', device_id: stranger.public_key.toHex() },
      encodeFrame([forged.item]),
    );
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([
      { message_id: message.event_ids[0] },
    ]);
    expect(alice.query('get_waiting')).toEqual([{ rule: 'author_not_a_member', waiting: 1 }]);
  });

  it('S17: what strangers may leave waiting is bounded', () => {
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const author = stranger.public_key.toHex();
    alice.engine.command('send_message', 1, { channel_id, text: 'real', ttl_ms: 0 });
    const raw = storedEvents(alice).find((stored) => decodeHeader(stored.header).type === 'message')!;
    for (let seq = 1; seq <= 200; seq++) {
      const forged = forge({ ...decodeHeader(raw.header), author, seq }, raw.body, stranger);
      alice.engine.receive(1, { session_id: 's', device_id: author }, encodeFrame([forged.item]));
    }
    expect(alice.query('get_waiting')).toEqual([{ rule: 'author_not_a_member', waiting: 64 }]);
    expect(alice.engine.pipeline.counters.get('rejected:waiting_quota_of_author')).toBe(136);
  });

  it('F10: an event of another network is refused', () => {
    const other = new TestNode({ clock: alice.clock });
    foundNetwork(other);
    const before = alice.all('SELECT count(*) AS n FROM event');
    alice.engine.receive(
      1,
      { session_id: 's', device_id: 'cd'.repeat(32) },
      encodeFrame(storedEvents(other).map(encodeEventItem)),
    );
    expect(alice.all('SELECT count(*) AS n FROM event')).toEqual(before);
    expect(alice.engine.pipeline.counters.get('rejected:other_network')).toBeGreaterThan(0);
  });

  it('F12: an event from the future is held until its time, neither lost nor shown', () => {
    const bob = new TestNode({ clock: alice.clock });
    joinNetwork(alice, bob, 'bob');
    wire(alice, bob);
    alice.engine.command('send_message', 1, { channel_id, text: 'now', ttl_ms: 0 });
    const raw = storedEvents(alice).find((stored) => decodeHeader(stored.header).type === 'message')!;
    const key = alice.all('SELECT secret FROM key_slot WHERE id = (SELECT slot FROM identity)')[0]
      ?.secret as Uint8Array;
    const ahead = forge(
      {
        ...decodeHeader(raw.header),
        seq: 99,
        created_ms: alice.clock.wall + 3_600_000,
        expires_ms: NEVER_MS,
      },
      raw.body,
      signerFromSeed(key),
    );
    bob.engine.receive(
      1,
      { session_id: 's', device_id: alice.engine.identity(1)!.device_id },
      encodeFrame([ahead.item]),
    );
    expect(bob.query('get_messages', { channel_id, limit: 5 })).toEqual([]);
    expect(bob.query('get_waiting')).toEqual([{ rule: 'from_the_future', waiting: 1 }]);
    bob.clock.pass(3_600_000);
    bob.engine.instruct(1, 'test', 'release-waiting', {});
    expect(bob.query('get_messages', { channel_id, limit: 5 })).toMatchObject([
      { message_id: ahead.event_id },
    ]);
  });

  it('F27: an event of an unknown type is kept and passed on, not projected', () => {
    const bob = new TestNode({ clock: alice.clock });
    const carol = new TestNode({ clock: alice.clock, protocol: overlaid({}) });
    joinNetwork(alice, bob, 'bob');
    wire(alice, bob);
    joinNetwork(alice, carol, 'carol');
    wire(alice, carol);
    wire(alice, bob);
    const raw = storedEvents(alice).find((stored) => decodeHeader(stored.header).type === 'channel')!;
    const key = alice.all('SELECT secret FROM key_slot WHERE id = (SELECT slot FROM identity)')[0]
      ?.secret as Uint8Array;
    const newer = forge(
      { ...decodeHeader(raw.header), seq: 99, type: 'from-a-newer-version' },
      encode(new Map([['x', 1]])),
      signerFromSeed(key),
    );
    bob.engine.receive(
      1,
      { session_id: 's', device_id: alice.engine.identity(1)!.device_id },
      encodeFrame([newer.item]),
    );
    wire(bob, carol);
    expect(carol.all('SELECT type, opaque, hex(id) AS id FROM event WHERE opaque = 1')).toEqual([
      { type: 'from-a-newer-version', opaque: 1, id: newer.event_id.toUpperCase() },
    ]);
  });

  it('F27: and projected once the node is of a version that knows it', () => {
    const ping = eventType({ name: 'ping', class: 'public', description: 'ping', body: {} });
    const newer = overlaid({
      modules: {
        'events/ping/schema.ts': { ping },
        'events/ping/commands.ts': {
          sendPing: command({ description: 'ping', input: {} }, () => [event(ping, {})]),
        },
        'events/ping/projector.ts': { projectPing: projector(ping, { project: () => [insert('ping', {})] }) },
      },
      sql: {
        'events/ping/ping.sql':
          'CREATE TABLE IF NOT EXISTS ping (event INTEGER PRIMARY KEY REFERENCES event (n));',
      },
    });
    const dora = new TestNode({ clock: alice.clock, protocol: newer });
    const bob = new TestNode({ clock: alice.clock });
    for (const node of [dora, bob]) {
      joinNetwork(alice, node, 'somebody');
      wire(alice, node);
    }
    dora.engine.command('send_ping', 1, {});
    wire(dora, alice);
    wire(alice, bob);
    const kept = bob.all('SELECT hex(id) AS id FROM event WHERE opaque = 1');
    expect(kept).toHaveLength(1);
    const upgraded = new TestNode({ clock: alice.clock, protocol: newer, db: bob.db });
    expect(
      upgraded.all('SELECT hex(e.id) AS id FROM ping p JOIN event e ON e.n = p.event WHERE e.opaque = 0'),
    ).toEqual(kept);
    expect(upgraded.all('SELECT n FROM event WHERE opaque = 1')).toEqual([]);
  });

  it('L1, L8: 3,000 events that were missed come in one meeting, and the next one costs less than a kilobyte', () => {
    const bob = new TestNode({ clock: alice.clock });
    joinNetwork(alice, bob, 'bob');
    wire(alice, bob);
    for (let index = 0; index < 3_000; index++)
      alice.engine.command('send_message', 1, { channel_id, text: `message ${index}`, ttl_ms: 0 });
    wire(alice, bob);
    expect(bob.query('get_channels')).toMatchObject([{ messages: 3_000 }]);
    expect(wire(alice, bob).bytes).toBeLessThan(1_000);
    expect(network_id).toBe(bob.engine.identity(1)?.network_id);
  });
});
