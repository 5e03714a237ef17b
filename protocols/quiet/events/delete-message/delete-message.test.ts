import { beforeEach, describe, expect, it } from 'vitest';
import type { RawEvent } from '../../../../core/envelope.ts';
import { encodeEventItem, encodeFrame } from '../../../../core/frame-codec.ts';
import { foundNetwork, joinNetwork, storedEvents, TestNode, wire } from '../../../../tests/support.ts';

let alice: TestNode;
let bob: TestNode;
let channel_id: string;
const frameOf = (events: readonly RawEvent[]) => encodeFrame(events.map(encodeEventItem));
const session = () => ({ session_id: 'test', device_id: bob.engine.identity(1)!.device_id });
const say = (node: TestNode, text: string) =>
  node.engine.command('send_message', 1, { channel_id, text, ttl_ms: 0 }).event_ids[0]!;
const shown = (node: TestNode) =>
  node.query<{ text: string }>('get_messages', { channel_id, limit: 50 }).map((message) => message.text);

beforeEach(() => {
  alice = new TestNode();
  bob = new TestNode({ clock: alice.clock });
  ({ channel_id } = foundNetwork(alice));
  joinNetwork(alice, bob);
  wire(alice, bob);
});

describe('deleting a message', () => {
  it('takes its reactions and notifications with it, and leaves the signed header', () => {
    const message_id = say(alice, 'delete me');
    wire(alice, bob);
    bob.engine.command('react', 1, { message_id, emoji: '👍' });
    wire(alice, bob);
    expect(alice.query('get_notifications', { limit: 5 })).toHaveLength(1);
    alice.engine.command('remove_message', 1, { message_id });
    wire(alice, bob);
    for (const node of [alice, bob]) {
      expect(shown(node)).toEqual([]);
      expect(node.all('SELECT * FROM message')).toEqual([]);
      expect(node.all('SELECT * FROM reaction')).toEqual([]);
      expect(node.all(`SELECT count(*) AS n FROM event WHERE body IS NULL AND length(header) > 0`)).toEqual([
        { n: 2 },
      ]);
      // Neither a key to what they said is left, nor what they were.
      expect(
        node.all(
          `SELECT DISTINCT type, (SELECT count(*) FROM wrap w WHERE w.of = n AND w.sealed IS NOT NULL) AS wraps FROM event WHERE body IS NULL`,
        ),
      ).toEqual([{ type: 'sealed', wraps: 0 }]);
    }
    expect(alice.query('get_notifications', { limit: 5 })).toEqual([]);
  });

  it('S7: a dead message that is offered again stays dead', () => {
    const message_id = say(alice, 'delete me');
    const before = storedEvents(alice);
    alice.engine.command('remove_message', 1, { message_id });
    alice.engine.receive(1, session(), frameOf(before));
    expect(shown(alice)).toEqual([]);
    expect(alice.engine.pipeline.counters.get('rejected:dead')).toBe(1);
  });

  it('S8: a deletion that arrives before its target is judged at once, and the target never comes up', () => {
    const message_id = say(alice, 'delete me');
    const before = storedEvents(alice);
    alice.engine.command('remove_message', 1, { message_id });
    wire(alice, bob);
    expect(bob.all(`SELECT count(*) AS n FROM event WHERE type = 'delete-message'`)).toEqual([{ n: 1 }]);
    bob.engine.receive(
      1,
      { session_id: 'test', device_id: alice.engine.identity(1)!.device_id },
      frameOf(before),
    );
    expect(shown(bob)).toEqual([]);
    expect(bob.engine.pipeline.counters.get('rejected:dead')).toBe(1);
  });

  it('S8: only the author, the founder, and who was given the right may', () => {
    const by_alice = say(alice, "alice's");
    const by_bob = say(bob, "bob's");
    wire(alice, bob);
    expect(() => bob.engine.command('remove_message', 1, { message_id: by_alice })).toThrow(
      expect.objectContaining({ code: 'author_may_delete' }),
    );
    alice.engine.command('remove_message', 1, { message_id: by_bob });
    wire(alice, bob);
    expect(shown(bob)).toEqual(["alice's"]);
    const bob_user = bob.query<{ user_id: string }>('get_user_of_device', {
      device_id: session().device_id,
    })[0]?.user_id;
    alice.engine.command('grant_right', 1, { user_id: bob_user, right: 'delete' });
    wire(alice, bob);
    bob.engine.command('remove_message', 1, { message_id: by_alice });
    wire(alice, bob);
    expect(shown(alice)).toEqual([]);
  });

  it('E16: outlives its target by a day, and for ever where the target would have', () => {
    const brief = alice.engine.command('send_message', 1, { channel_id, text: 'brief', ttl_ms: 60_000 })
      .event_ids[0]!;
    const permanent = say(alice, 'permanent');
    for (const message_id of [brief, permanent]) alice.engine.command('remove_message', 1, { message_id });
    const rows = alice.all(
      `SELECT expires_ms - created_ms AS lives_ms, expires_ms FROM event WHERE type = 'delete-message' ORDER BY n`,
    );
    expect(rows[0]?.lives_ms).toBeGreaterThanOrEqual(60_000 + 86_400_000);
    expect(rows[1]?.expires_ms).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('E18: expired is invisible at once, and refused when it is offered', () => {
    alice.engine.command('send_message', 1, { channel_id, text: 'brief', ttl_ms: 1_000 });
    expect(shown(alice)).toEqual(['brief']);
    const before = storedEvents(alice);
    alice.clock.pass(1_000);
    bob.clock.wall = alice.clock.wall;
    expect(shown(alice)).toEqual([]);
    expect(alice.query('get_channels')).toMatchObject([{ messages: 0 }]);
    bob.engine.receive(
      1,
      { session_id: 'test', device_id: alice.engine.identity(1)!.device_id },
      frameOf(before),
    );
    expect(shown(bob)).toEqual([]);
    expect(bob.engine.pipeline.counters.get('rejected:expired')).toBe(1);
  });
});
