import { beforeEach, describe, expect, it } from 'vitest';
import { encodeBody } from '../../../../core/body-codec.ts';
import { encode } from '../../../../core/cbor.ts';
import { event, type Header } from '../../../../core/envelope.ts';
import { type EventType, eventType } from '../../../../core/event-type.ts';
import { content } from '../../../../core/fields.ts';
import {
  decodeFrame,
  encodeEventItem,
  encodeFrame,
  encodeTransientItem,
} from '../../../../core/frame-codec.ts';
import { command, insert, projector } from '../../../../core/sources.ts';
import { type Signer, signerFromSeed } from '../../../../crypto/sign.ts';
import {
  forge,
  forgeSealed,
  type GroupKey,
  headerBy,
  heldKeyOf,
  plaintextOf,
  signerOf,
  unknownKey,
} from '../../../../tests/hostile.ts';
import {
  foundNetwork,
  joinNetwork,
  overlaid,
  seededRandom,
  storedEvents,
  TestNode,
  wire,
} from '../../../../tests/support.ts';
import { World } from '../../../../tests/world.ts';
import { openingMessage } from '../../reconcile/negentropy.ts';
import { syncPage } from '../fetch/schema.ts';
import { PREKEY_TTL_MS } from '../prekey/schema.ts';
import { syncRequest, syncResponse } from './schema.ts';

let alice: TestNode;
let network_id: string;
let channel_id: string;

beforeEach(() => {
  alice = new TestNode();
  ({ network_id, channel_id } = foundNetwork(alice));
});

/** A message in `general`, sealed under `key` and signed by whomever. */
const saidBy = (author: Signer, key: GroupKey, text: string, more: Partial<Header> = {}) =>
  forgeSealed(
    headerBy(author, network_id, { group_id: network_id, created_ms: alice.clock.wall, ...more }),
    plaintextOf('message', { channel_id, text }),
    author,
    key,
  );

const nothing = {
  summary: () => ({ count: 0, fingerprint: '00'.repeat(16) }),
  ids: () => [],
  alsoKnown: () => [],
  split: () => [],
  tail: () => [],
};

function request(now_ms: number): Uint8Array {
  const body = {
    message: openingMessage(nothing).toHex(),
    need: [],
    keys: [],
    end_groups: [],
    end_seqs: [],
    cut_ms: now_ms,
    now_ms,
    round: 0,
    asker_progress: 0,
    answerer_progress: 0,
    introduced: false,
  };
  return encodeFrame([encodeTransientItem('sync_request', encodeBody(syncRequest as never, body))]);
}

/** A number in groups of seven bits, the highest first. */
const varint = (value: number): string => {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.push((rest % 128) | 0x80);
  return Uint8Array.from(digits.reverse()).toHex();
};

describe('sync', () => {
  it('E25, F11: a device that is no member is refused, and learns nothing', () => {
    alice.engine.command('send_message', 1, { channel_id, text: 'for members', ttl_ms: 0 });
    alice.engine.receive(1, { session_id: 's', device_id: 'cd'.repeat(32) }, request(alice.clock.wall));
    const items = decodeFrame(encodeFrame(alice.takeItems('s')));
    expect(items).toMatchObject([{ item: 'transient', type: 'sync_refused' }]);
  });

  it('L8: who has left tells a stranger not even that: nobody is to be shown again and again what cannot be judged any more', () => {
    alice.engine.command('leave_network', 1, {});
    alice.takeItems('s');
    alice.engine.receive(1, { session_id: 's', device_id: 'cd'.repeat(32) }, request(alice.clock.wall));
    expect(alice.takeItems('s')).toEqual([]);
  });

  it('a message of a stranger is not taken in, even well signed and well sealed', () => {
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const message = alice.engine.command('send_message', 1, { channel_id, text: 'real', ttl_ms: 0 });
    const from = { session_id: 's', device_id: stranger.public_key.toHex() };
    // A key that came into the wrong hands, and one that the stranger made.
    const keys = [
      heldKeyOf(alice, network_id, channel_id),
      unknownKey(network_id, channel_id, new Uint8Array(32).fill(1)),
    ];
    for (const [seq, key] of keys.entries())
      alice.engine.receive(1, from, encodeFrame([saidBy(stranger, key, 'let me in', { seq: seq + 1 }).item]));
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([
      { message_id: message.event_ids[0] },
    ]);
    expect(alice.query('get_waiting')).toEqual([
      { rule: 'author_not_a_member', waiting: 1 },
      { rule: 'key_missing', waiting: 1 },
    ]);
  });

  it('S17: what strangers may leave waiting is bounded', () => {
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const author = stranger.public_key.toHex();
    alice.engine.command('send_message', 1, { channel_id, text: 'real', ttl_ms: 0 });
    const key = heldKeyOf(alice, network_id, channel_id);
    for (let seq = 1; seq <= 200; seq++) {
      const forged = saidBy(stranger, key, 'let me in', { seq });
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
    joinNetwork(alice, bob);
    wire(alice, bob);
    alice.engine.command('send_message', 1, { channel_id, text: 'now', ttl_ms: 0 });
    wire(alice, bob);
    const created_ms = alice.clock.wall + 3_600_000;
    const key = heldKeyOf(alice, network_id, channel_id);
    const ahead = saidBy(signerOf(alice), key, 'later', { seq: 99, created_ms });
    bob.engine.receive(
      1,
      { session_id: 's', device_id: alice.engine.identity(1)!.device_id },
      encodeFrame([ahead.item]),
    );
    expect(bob.query('get_messages', { channel_id, limit: 5 })).toMatchObject([{ text: 'now' }]);
    expect(bob.query('get_waiting')).toEqual([{ rule: 'from_the_future', waiting: 1 }]);
    bob.clock.pass(3_600_000);
    bob.engine.instruct(1, 'test', 'release-waiting', {});
    expect(bob.query('get_messages', { channel_id, limit: 5 })).toMatchObject([
      { message_id: ahead.event_id, text: 'later' },
      { text: 'now' },
    ]);
  });

  it('a newcomer has the keys after one meeting, whatever ids chance gave to their first events', () => {
    for (let seed = 0; seed < 24; seed++) {
      const newcomer = new TestNode({ clock: alice.clock, random: seededRandom(seed) });
      joinNetwork(alice, newcomer);
      wire(alice, newcomer);
      expect(newcomer.query('get_waiting')).toEqual([]);
      expect(newcomer.query('get_channels')).toMatchObject([{ name: 'general' }]);
      newcomer.db.close();
    }
  });

  it('F27: an event of an unknown type is kept and passed on, not projected', () => {
    const bob = new TestNode({ clock: alice.clock });
    const carol = new TestNode({ clock: alice.clock, protocol: overlaid({}) });
    joinNetwork(alice, bob);
    wire(alice, bob);
    joinNetwork(alice, carol);
    wire(alice, carol);
    wire(alice, bob);
    const signer = signerOf(alice);
    const body = encode(new Map([['x', 1]]));
    const clear = headerBy(signer, network_id, {
      seq: 99,
      type: 'newer-public',
      created_ms: alice.clock.wall,
    });
    const sealed = { ...clear, seq: 100, type: null, group_id: network_id };
    const key = heldKeyOf(alice, network_id, null);
    const newer = [
      forge(clear, body, signer),
      forgeSealed(sealed, encode(['newer-sealed', body]), signer, key),
    ];
    bob.engine.receive(
      1,
      { session_id: 's', device_id: alice.engine.identity(1)!.device_id },
      encodeFrame(newer.map(({ item }) => item)),
    );
    wire(bob, carol);
    expect(carol.all('SELECT type, opaque, hex(id) AS id FROM event WHERE opaque = 1 ORDER BY seq')).toEqual([
      { type: 'newer-public', opaque: 1, id: newer[0]?.event_id.toUpperCase() },
      { type: 'newer-sealed', opaque: 1, id: newer[1]?.event_id.toUpperCase() },
    ]);
  });

  it('F27: and projected once the node is of a version that knows it', () => {
    const ping = eventType({ name: 'ping', class: 'public', description: 'ping', body: {} });
    const hush = eventType({
      name: 'hush',
      class: 'sealed',
      description: 'hush',
      body: { word: content(9) },
    });
    const project = { project: () => [insert('ping', {})] };
    const newer = overlaid({
      modules: {
        'events/ping/schema.ts': { ping },
        'events/ping/commands.ts': {
          sendPing: command({ description: 'ping', input: {} }, (_query, _input, ctx) => [
            event(ping, {}),
            event(hush, { word: 'quiet' }, { group_id: ctx.me?.network_id ?? null }),
          ]),
        },
        'events/ping/projector.ts': { projectPing: projector(ping, project) },
        'events/hush/schema.ts': { hush },
        'events/hush/projector.ts': { projectHush: projector(hush, project) },
      },
      sql: {
        'events/ping/ping.sql':
          'CREATE TABLE IF NOT EXISTS ping (event INTEGER PRIMARY KEY REFERENCES event (n));',
      },
    });
    const dora = new TestNode({ clock: alice.clock, protocol: newer });
    const bob = new TestNode({ clock: alice.clock });
    for (const node of [dora, bob]) {
      joinNetwork(alice, node);
      wire(alice, node);
    }
    dora.engine.command('send_ping', 1, {});
    wire(dora, alice);
    wire(alice, bob);
    const kept = bob.all('SELECT hex(id) AS id FROM event WHERE opaque = 1 ORDER BY n');
    expect(kept).toHaveLength(2);
    const upgraded = new TestNode({ clock: alice.clock, protocol: newer, db: bob.db });
    expect(
      upgraded.all(
        'SELECT hex(e.id) AS id FROM ping p JOIN event e ON e.n = p.event WHERE e.opaque = 0 ORDER BY e.n',
      ),
    ).toEqual(kept);
    expect(upgraded.all(`SELECT content('word', body) AS word FROM live_event WHERE type = 'hush'`)).toEqual([
      { word: 'quiet' },
    ]);
    expect(upgraded.all('SELECT n FROM event WHERE opaque = 1')).toEqual([]);
  });

  it('L1, L8: 3,000 events that were missed come in one meeting, and the next one costs less than a kilobyte', () => {
    const bob = new TestNode({ clock: alice.clock });
    joinNetwork(alice, bob);
    wire(alice, bob);
    for (let index = 0; index < 3_000; index++)
      alice.engine.command('send_message', 1, { channel_id, text: `message ${index}`, ttl_ms: 0 });
    wire(alice, bob);
    expect(bob.query('get_channels')).toMatchObject([{ messages: 3_000 }]);
    expect(wire(alice, bob).bytes).toBeLessThan(1_000);
    expect(network_id).toBe(bob.engine.identity(1)?.network_id);
  });

  it('L1: who was away until all their prekeys had expired, and missed more than may wait, is given the key and catches up', () => {
    const world = new World({ seed: 1 });
    world.found('alice');
    world.join('alice', 'bob');
    world.clock.pass(PREKEY_TTL_MS + 1);
    for (let index = 0; index < 1_500; index++) world.say('alice', `message ${index}`);
    expect(world.runJob('bob', 'prekey_replenishment_job')).toBeGreaterThan(0);
    // Alice learns of the prekeys, seals the key to one of them, and both go on as their jobs would.
    for (let meeting = 0; meeting < 5; meeting++) {
      world.meet('alice', 'bob');
      world.runJob('alice', 'share_keys_job');
      world.clock.pass(60_000);
      world.runJob('bob', 'request_keys_job');
    }
    expect(world.waiting('bob')).toEqual({});
    expect(world.read('bob')).toEqual(world.read('alice'));
    expect(world.node('bob').query('get_channels')).toMatchObject([{ messages: 1_500 }]);
  });

  it('L8: who was removed from a private group does not send what was said there, again and again', () => {
    const world = new World({ seed: 2 });
    world.found('alice');
    world.join('alice', 'bob');
    world.gather();
    const member_ids = [world.userOf('bob')];
    const made = world.node('alice').engine.command('create_group', 1, { name: 'team', member_ids });
    world.gather();
    const out = { user_id: world.userOf('bob'), group_id: made.event_ids[0] };
    world.node('alice').engine.command('remove_user', 1, out);
    const device_id = world.device('bob');
    const told = world
      .node('alice')
      .query<{ header: string; signature: string; body: string }>('get_group_removals_of_device', {
        device_id,
      });
    const items = told.map(({ header, signature, body }) =>
      encodeEventItem({
        header: Uint8Array.fromHex(header),
        signature: Uint8Array.fromHex(signature),
        body: Uint8Array.fromHex(body),
        wraps: [],
      }),
    );
    const from_alice = { session_id: 'told', device_id: world.device('alice') };
    world.node('bob').engine.receive(1, from_alice, encodeFrame(items));
    expect(world.node('bob').query('get_groups')).toEqual([]);
    world.meet('alice', 'bob');
    expect(world.meet('alice', 'bob').bytes).toBeLessThan(1_000);
  });

  it('F19, L8: a peer that lacks again and again what it is sent keeps nobody busy', () => {
    const bob = new TestNode({ clock: alice.clock });
    joinNetwork(alice, bob);
    wire(alice, bob);
    const session = { session_id: 'with bob', device_id: bob.engine.identity(1)!.device_id };
    const hear = (type: EventType, body: Record<string, unknown>) => {
      alice.engine.receive(1, session, encodeFrame([encodeTransientItem(type.name, encodeBody(type, body))]));
      return alice.takeItems(session.session_id).map((item) => decodeFrame(encodeFrame([item]))[0]!);
    };
    const types = (items: ReturnType<typeof hear>) =>
      items.map((item) => (item.item === 'transient' ? item.type : item.item));
    alice.engine.instruct(1, 'test', 'session', { ...session, state: 'opened' });
    alice.takeItems();
    const response = {
      ...{ cut_ms: alice.clock.wall, round: 0, asker_progress: 1, answerer_progress: 1 },
      answerer_progressed: true,
      // Nothing is said of what was until now, and from here on there is something that Alice has not got.
      message: `61${varint(alice.clock.wall + 2)}00000000${'01'}${'ab'.repeat(16)}`,
    };
    expect(types(hear(syncResponse, response))).toEqual(['sync_fetch']);
    const [event_id] = storedEvents(alice).map((stored) => stored.event_id);
    const page = { lowers: [], uppers: [], oldest_first: false, left: 0, lacking: [event_id] };
    expect(types(hear(syncPage, page))).toEqual(['event']);
  });
});
