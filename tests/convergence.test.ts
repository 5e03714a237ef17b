import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEventItem, encodeFrame } from '../core/frame-codec.ts';
import { decodeHeader } from '../core/header-codec.ts';
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
  wire,
} from './support.ts';

/** One thing that Alice or Bob does. */
type Step =
  | { readonly step: 'send' | 'react' | 'delete' | 'edit'; readonly who: 0 | 1; readonly pick: number }
  | { readonly step: 'channel' | 'rename' | 'title' | 'meet'; readonly who: 0 | 1; readonly pick: number };

const step: fc.Arbitrary<Step> = fc.record({
  step: fc.constantFrom(
    ...([
      'send',
      'send',
      'send',
      'react',
      'react',
      'delete',
      'edit',
      'channel',
      'rename',
      'title',
      'meet',
    ] as const),
  ),
  who: fc.constantFrom<0 | 1>(0, 1),
  pick: fc.nat(1_000),
});

interface History {
  readonly items: readonly Uint8Array[];
  readonly now_ms: number;
  /** Another copy of a member who has been away since before all of it: with prekeys, and nothing else. */
  readonly away: () => string;
  /** Most events of one author. */
  readonly most: number;
}

/** Runs the steps on two nodes and returns every event that was ever made, the deleted and the edited ones included. */
function historyOf(steps: readonly Step[], seed: number): History {
  const clock = new TestClock();
  const alice = new TestNode({ clock, random: seededRandom(seed) });
  const bob = new TestNode({ clock, random: seededRandom(seed + 1) });
  foundNetwork(alice);
  const stored = new Map<string, StoredEvent>();
  const collect = () => {
    for (const node of [alice, bob])
      for (const event of storedEvents(node)) stored.set(event.event_id, event);
  };
  const away = awayMember(alice, seededRandom(seed + 3));
  joinNetwork(alice, bob);
  wire(alice, bob);
  collect();
  for (const { step: kind, who, pick } of steps) {
    clock.pass(pick % 50);
    const node = who === 0 ? alice : bob;
    const channels = node.query<{ channel_id: string }>('get_channels');
    const channel_id = channels[pick % channels.length]?.channel_id ?? '';
    const messages = node.query<{ message_id: string; author: string }>('get_messages', {
      channel_id,
      limit: 100,
    });
    const message = messages[pick % Math.max(1, messages.length)];
    const is_mine = message !== undefined && message.author === node.engine.identity(1)?.device_id;
    const command = (name: string, input: object) => node.engine.command(name, 1, input);
    if (kind === 'send') command('send_message', { channel_id, text: `message ${pick}`, ttl_ms: 0 });
    else if (kind === 'channel') command('create_channel', { name: `channel ${pick}` });
    else if (kind === 'rename') command('set_profile', { name: `name ${pick}` });
    else if (kind === 'title') command('rename_channel', { channel_id, name: `renamed ${pick}` });
    else if (kind === 'meet') wire(alice, bob);
    else if (message !== undefined && kind === 'react')
      command('react', { message_id: message.message_id, emoji: '👍' });
    else if (message !== undefined && kind === 'delete' && (who === 0 || is_mine))
      command('remove_message', { message_id: message.message_id });
    else if (message !== undefined && kind === 'edit' && is_mine)
      command('edit_message', { message_id: message.message_id, text: `message ${pick} again` });
    collect();
  }
  const authors = Object.groupBy(stored.values(), ({ header }) => decodeHeader(header).author);
  const most = Math.max(...Object.values(authors).map((events) => events?.length ?? 0));
  return { items: [...stored.values()].map(encodeEventItem), now_ms: clock.wall, away, most };
}

/** A device that has asked to join, knows nobody yet, and takes in frames. */
function emptyReceiver({ away, now_ms }: History): TestNode {
  const clock = new TestClock();
  clock.wall = now_ms;
  return new TestNode({ clock, random: seededRandom(7), db: openedDb(away()) });
}

function deliver(node: TestNode, frames: readonly (readonly Uint8Array[])[]): void {
  const session = { session_id: 'test', device_id: 'ab'.repeat(32) };
  for (const frame of frames) node.engine.receive(1, session, encodeFrame(frame));
}

/**
 * Offers all of it until nothing more is taken in, as a peer does in each round of sync: what came under a key that was said to be dirty before the key
 * itself was here is not kept, and is asked for again.
 */
function offer(node: TestNode, frames: readonly (readonly Uint8Array[])[]): void {
  let before = '';
  for (let round = 1; round <= 4; round++) {
    deliver(node, frames);
    const after = canonicalDump(node);
    if (after === before) return;
    before = after;
  }
  throw new Error('S16: the same events, offered for the fourth time, still change something');
}

/** All of them in a random order, and about half of them twice. */
function shuffledAndDoubled(items: readonly Uint8Array[], seed: number): Uint8Array[] {
  const random = seededRandom(seed + 2);
  const below = (limit: number) => new DataView(random.bytes(4).buffer).getUint32(0) % limit;
  const all = [...items, ...items.filter(() => below(2) === 0)];
  for (let last = all.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}

/** Rows that only one of the two has, shortened. */
function differences(a: TestNode, b: TestNode): string[] {
  const [rows_a, rows_b] = [a, b].map((node) => new Set(canonicalDump(node).split('\n')));
  return [...rows_a!.symmetricDifference(rows_b!)].map((row) => row.slice(0, 160));
}

describe('S1, S16: the projection is a function of the set of events', () => {
  it('in any order, doubled, and split into any batches, the same events become the same rows', () => {
    const scenario = fc.record({
      steps: fc.array(step, { maxLength: 24 }),
      seed: fc.nat(1_000_000),
      cuts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(scenario, ({ steps, seed, cuts }) => {
        const history = historyOf(steps, seed);
        // More of somebody who is not known yet as a member would not be kept waiting, and had to be offered again: S17.
        fc.pre(history.most <= 64);
        const straight = emptyReceiver(history);
        offer(straight, [history.items]);
        const shuffled = emptyReceiver(history);
        const rest = shuffledAndDoubled(history.items, seed);
        const frames: Uint8Array[][] = [];
        for (let cut = 0; rest.length > 0; cut++) frames.push(rest.splice(0, cuts[cut % cuts.length]));
        offer(shuffled, frames);
        expect(shuffled.all('SELECT count(*) AS waiting FROM waiting')).toEqual([{ waiting: 0 }]);
        expect(differences(shuffled, straight)).toEqual([]);
        straight.db.close();
        shuffled.db.close();
      }),
      { numRuns: 60 },
    );
  }, 300_000);

  it('and two nodes that met end with the rows that a third gets from the events alone', () => {
    const steps: Step[] = Array.from({ length: 30 }, (_, pick) => ({
      step: (['send', 'react', 'delete', 'rename', 'channel', 'send', 'edit'] as const)[pick % 7] ?? 'send',
      who: (pick % 2) as 0 | 1,
      pick: pick * 7,
    }));
    const history = historyOf([...steps, { step: 'meet', who: 0, pick: 0 }], 1);
    const receiver = emptyReceiver(history);
    deliver(receiver, [history.items.toReversed()]);
    expect(receiver.all('SELECT count(*) AS waiting FROM waiting')).toEqual([{ waiting: 0 }]);
    expect(receiver.query('get_members', { group_id: null })).toHaveLength(3);
  });
});
