/** What somebody might try with removals, chains and rights: each with real engines, and each ends alike for all. */
import { describe, expect, it } from 'vitest';
import { encodeBody } from '../core/body-codec.ts';
import { type Envelope, event } from '../core/envelope.ts';
import { decodeFrame, encodeFrame, encodeHeaderItem, encodeTransientItem } from '../core/frame-codec.ts';
import { remove } from '../protocols/quiet/events/remove/schema.ts';
import { judgeFacts } from '../protocols/quiet/rules/standing.ts';
import { quietProtocol } from './support.ts';
import { eventItems, World } from './world.ts';

function home(...names: string[]): World {
  const world = new World({ seed: names.length + 90 });
  world.found('alice');
  for (const name of names) world.join('alice', name);
  world.gather();
  return world;
}

/** Says something as no command would. */
const submit = (world: World, name: string, drafts: readonly Envelope[]) =>
  world
    .node(name)
    .engine.transact((transaction) => transaction.submit(1, { kind: 'command', name: 'by hand' }, drafts));
const give = (world: World, to: string, from: string, items: readonly Uint8Array[]) =>
  world
    .node(to)
    .engine.receive(1, { session_id: 'by hand', device_id: world.device(from) }, encodeFrame(items));
const isRemoved = (world: World, name: string, of: string) =>
  world.node(of).query('is_removed_device', { device_id: world.device(name) }).length > 0;
function group(
  world: World,
  founder: string,
  ...members: string[]
): { group_id: string; channel_id: string } {
  const made = world.node(founder).engine.command('create_group', 1, {
    name: 'plans',
    member_ids: members.map((name) => world.userOf(name)),
  });
  world.gather();
  return { group_id: made.event_ids[0] as string, channel_id: made.event_ids[2] as string };
}

describe('F11, S12: chains', () => {
  it('who cuts a device of their own at an event of somebody else lets nothing of theirs in', () => {
    const world = home('bob', 'carol', 'eve');
    world.link('carol', 'phone');
    world.say('eve', 'before');
    world.gather();
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob', 'carol', 'phone']);
    const late = world.say('eve', 'after');
    submit(world, 'carol', [
      event(remove, {
        user_id: world.userOf('carol'),
        whole_user: false,
        device_ids: [world.device('phone')],
        head_seqs: [1_000],
        head_ids: [late],
        basis_id: null,
        because_id: null,
        known_ids: [],
      }),
    ]);
    const item = eventItems(world.node('eve')).items.get(late)!;
    give(world, 'alice', 'carol', [item]);
    world.gather(['alice', 'bob', 'carol']);
    give(world, 'bob', 'carol', [item]);
    for (const name of ['alice', 'bob']) expect(world.read(name)).toEqual(['before']);
  });

  it('a chain that leads through an event of another device proves nothing behind it', () => {
    const world = home('bob', 'carol');
    world.link('carol', 'phone');
    const first = world.say('phone', 'by the phone');
    world.gather();
    // Carol's next event names the one of her phone as the one before it.
    world
      .node('carol')
      .db.prepare("UPDATE chain_head SET seq = 10000, event_id = :first WHERE group_id = x''")
      .run({ first: Uint8Array.fromHex(first) });
    const bridge = world.say('carol', 'a bridge');
    submit(world, 'carol', [
      event(remove, {
        user_id: world.userOf('carol'),
        whole_user: false,
        device_ids: [world.device('phone')],
        head_seqs: [20_000],
        head_ids: [bridge],
        basis_id: null,
        because_id: null,
        known_ids: [],
      }),
    ]);
    world.gather(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob']) expect(world.read(name)).toEqual(['a bridge']);
  });

  it('a chain in a private group that leads into the one for everybody proves nothing there', () => {
    const world = home('bob', 'carol', 'eve');
    const { group_id, channel_id } = group(world, 'carol', 'bob', 'eve');
    world.say('eve', 'before');
    world.say('eve', 'in the group', channel_id);
    world.gather();
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob']);
    const late = world.say('eve', 'after');
    // Eve's next event in the group names the late one as the one before it.
    world
      .node('eve')
      .db.prepare('UPDATE chain_head SET seq = 10000, event_id = :late WHERE group_id = :group_id')
      .run({ late: Uint8Array.fromHex(late), group_id: Uint8Array.fromHex(group_id) });
    world.say('eve', 'a bridge', channel_id);
    world.meet('eve', 'carol');
    world.gather(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol']) world.runJob(name, 'close_groups_job');
    world.gather(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol']) expect(world.read(name)).toEqual(['before']);
  });

  it('a header alone proves a chain, and does not keep the event itself out', () => {
    const world = home('bob', 'eve', 'nina');
    world.say('eve', 'one');
    world.gather();
    world.say('eve', 'two');
    world.say('eve', 'three');
    world.meet('eve', 'alice');
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    // Nina hears of the removal alone, from a peer that answers her with headers and nothing else.
    const { items } = eventItems(world.node('alice'));
    const removal = world.node('alice').all("SELECT hex(id) AS id FROM event WHERE type = 'remove'")[0]?.id;
    give(world, 'nina', 'bob', [items.get(String(removal).toLowerCase())!]);
    for (let asked = 0; asked < 5; asked++) {
      const gap = world.node('nina').all('SELECT hex(missing) AS id FROM chain_gap')[0]?.id;
      if (gap === undefined) break;
      const [item] = decodeFrame(encodeFrame([items.get(String(gap).toLowerCase())!]));
      if (item?.item === 'event')
        give(world, 'nina', 'bob', [encodeHeaderItem(item.raw.header, item.raw.signature)]);
    }
    expect(world.node('nina').all('SELECT count(*) AS gaps FROM chain_gap')).toEqual([{ gaps: 0 }]);
    world.gather(['alice', 'bob', 'nina']);
    expect(world.read('nina')).toEqual(['one', 'two', 'three']);
  });
});

describe('S12: private groups of whoever was removed', () => {
  it('who leaves is cut off there, too', () => {
    const world = home('bob', 'carol', 'eve');
    const { channel_id } = group(world, 'carol', 'bob', 'eve');
    world.say('eve', 'hi', channel_id);
    world.gather();
    world.node('eve').engine.command('leave_network', 1, {});
    world.gather();
    world.runJob('bob', 'close_groups_job');
    expect(world.runJob('bob', 'close_groups_job')).toBe(0);
    world.say('eve', 'still here', channel_id);
    give(world, 'bob', 'carol', [...eventItems(world.node('eve')).items.values()]);
    expect(world.read('bob', channel_id)).toEqual(['hi']);
  });

  it('a removal that does not count keeps nobody from following the one that does', () => {
    const world = home('bob', 'carol', 'eve', 'mallory');
    world
      .node('alice')
      .engine.command('grant_right', 1, { user_id: world.userOf('mallory'), right: 'admin' });
    world.gather();
    const { channel_id } = group(world, 'carol', 'bob', 'eve');
    world.say('eve', 'hi', channel_id);
    world.gather();
    world
      .node('alice')
      .engine.command('remove_user', 1, { user_id: world.userOf('mallory'), group_id: null });
    world.node('mallory').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.meet('mallory', 'bob');
    world.gather(['alice', 'bob', 'carol', 'eve']);
    expect(isRemoved(world, 'eve', 'bob')).toBe(false);
    world.clock.pass(1_000);
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob', 'carol']);
    world.runJob('bob', 'close_groups_job');
    world.say('eve', 'still here', channel_id);
    give(world, 'bob', 'carol', [...eventItems(world.node('eve')).items.values()]);
    expect(world.read('bob', channel_id)).toEqual(['hi']);
  });

  it('nobody is removed from a direct conversation, not by who began it either', () => {
    const world = home('bob', 'carol');
    const made = world.node('bob').engine.command('open_direct', 1, { user_id: world.userOf('carol') });
    world.gather();
    const { rejected } = submit(world, 'bob', [
      event(
        remove,
        {
          user_id: world.userOf('carol'),
          whole_user: true,
          device_ids: [],
          head_seqs: [],
          head_ids: [],
          basis_id: null,
          because_id: null,
          known_ids: [],
        },
        { group_id: made.event_ids[0] as string },
      ),
    ]);
    expect(rejected).toMatchObject([{ rule: 'author_may_remove' }]);
  });
});

describe('rights in private groups', () => {
  it('what was done by a right there stays when it is taken away; what comes after does not count', () => {
    const world = home('bob', 'carol', 'dave');
    world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'admin' });
    world.gather();
    const { group_id, channel_id } = group(world, 'carol', 'bob', 'dave');
    const first = world.say('dave', 'one', channel_id);
    const second = world.say('carol', 'two', channel_id);
    world.gather();
    world.node('bob').engine.command('remove_message', 1, { message_id: first });
    world.node('bob').engine.command('remove_user', 1, { user_id: world.userOf('dave'), group_id });
    world.gather();
    world.node('alice').engine.command('revoke_right', 1, { user_id: world.userOf('bob'), right: 'admin' });
    world.meet('alice', 'carol');
    world.runJob('carol', 'close_groups_job');
    // Bob has not heard of it.
    world.node('bob').engine.command('remove_message', 1, { message_id: second });
    world.gather();
    world.gather();
    for (const name of ['bob', 'carol'])
      expect([name, world.read(name, channel_id)]).toEqual([name, ['two']]);
    const inside = world
      .node('carol')
      .all(`SELECT 1 FROM current_group_device WHERE hex(device) = '${world.device('dave').toUpperCase()}'`);
    expect(inside).toEqual([]);
  });
});

describe('devices of one user', () => {
  it('among them the first is senior, whatever rights they have: a thief of a later one cannot turn it out', () => {
    for (const right of [null, 'admin']) {
      const world = home('bob', 'carol');
      if (right !== null)
        world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('bob'), right });
      world.link('bob', 'phone');
      world.gather();
      world.node('phone').engine.command('remove_device', 1, { device_id: world.device('bob') });
      world.clock.pass(10);
      world.node('bob').engine.command('remove_device', 1, { device_id: world.device('phone') });
      world.meet('phone', 'carol');
      world.meet('bob', 'alice');
      world.gather(['alice', 'carol']);
      for (const name of ['alice', 'carol'])
        expect(['bob', 'phone'].map((device) => isRemoved(world, device, name))).toEqual([false, true]);
    }
  });
});

describe('S17: judging', () => {
  it('takes a time that grows with what there is to judge, not with its combinations', () => {
    const id = (number: number) => `aa${number.toString(16).padStart(62, '0')}`;
    const [founder, first, linked, user] = [id(1), id(2), id(3), id(4)];
    const removals = Array.from({ length: 200 }, (_, at) => ({
      event_id: id(100 + at),
      author: founder,
      seq: at + 5,
      group_id: null,
      user_id: user,
      whole_user: false,
      basis_id: null,
      because_id: null,
    }));
    const started = performance.now();
    const { cuts } = judgeFacts({
      founder_device: founder,
      devices: [
        { peer_id: id(10), device_id: founder, user_id: id(11), is_linked: false },
        { peer_id: id(12), device_id: first, user_id: user, is_linked: false },
        { peer_id: id(13), device_id: linked, user_id: user, is_linked: true },
      ],
      admissions: [
        { event_id: id(20), author: founder, joiner_id: user },
        { event_id: id(21), author: first, joiner_id: id(13) },
      ],
      grants: [],
      revocations: [],
      removals,
      group_members: [],
      heads: new Map(
        removals.map(({ event_id }, at) => [
          event_id,
          new Map([[linked, { seq: 3 + at, head: id(50 + at) }]]),
        ]),
      ),
      known: new Map(),
      is_known: () => false,
      onChain: () => new Set(),
      missing: () => [],
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    // All by one author, who knew of the first: none of the later can raise it.
    expect(cuts).toEqual([{ device_id: linked, group_id: null, seq: 3, head: id(50) }]);
  });
});

describe('strangers', () => {
  it('are told nothing before they have spoken: no fingerprint, no name of a group', () => {
    const world = home('bob');
    group(world, 'alice');
    world.node('alice').engine.instruct(1, 'test', 'session', {
      session_id: 'door',
      device_id: 'ab'.repeat(32),
      state: 'opened',
    });
    expect(world.node('alice').takeItems('door')).toEqual([]);
  });

  it('are told nothing by who was removed either, who is no newcomer for that', () => {
    const world = home('bob');
    const { engine } = world.node('bob');
    engine.command('remove_user', 1, { user_id: world.userOf('bob'), group_id: null });
    world.node('bob').takeItems();
    const session = { session_id: 'door', device_id: 'ab'.repeat(32) };
    engine.instruct(1, 'test', 'session', { ...session, state: 'opened' });
    world.runJob('bob', 'sync_job', { network_id: world.network_id });
    const refused = quietProtocol.types.get('sync_refused')!.value;
    const answered = quietProtocol.types.get('sync_response')!.value;
    const response = {
      ...{ message: null, cut_ms: world.clock.wall, round: 0 },
      ...{ asker_progress: 1, answerer_progress: 0, answerer_progressed: true },
    };
    for (const [type, body] of [
      [refused, { introduced: false }],
      [answered, response],
    ] as const)
      engine.receive(1, session, encodeFrame([encodeTransientItem(type.name, encodeBody(type, body))]));
    expect(world.node('bob').takeItems('door')).toEqual([]);
  });

  it('who joined by somebody else is recognised in a large network by the events that led to it', () => {
    const world = home('bob');
    for (let made = 0; made < 260; made++)
      world.node('alice').engine.command('create_invite', 1, { uses: 1, ttl_ms: 1_000 });
    world.gather();
    world.join('alice', 'carol');
    world.meet('alice', 'carol');
    expect(world.node('bob').query('is_member', { device_id: world.device('carol') })).toEqual([]);
    world.meet('carol', 'bob');
    expect(world.node('bob').query('is_member', { device_id: world.device('carol') })).toHaveLength(1);
  });
});
