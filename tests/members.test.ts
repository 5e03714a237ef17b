/** Who belongs, who may what, and what becomes of it when somebody is removed: stories with real engines. */
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const code = (thrown: unknown) => (thrown as { code?: string }).code;
function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (thrown) {
    return code(thrown);
  }
  return undefined;
}

function home(...names: string[]): World {
  const world = new World({ seed: names.length });
  world.found('alice');
  for (const name of names) world.join('alice', name);
  world.gather();
  return world;
}

describe('private groups', () => {
  it('a group is for its members; a newcomer to it reads its history, and of no other', () => {
    const world = home('bob', 'carol', 'dave');
    const made = world
      .node('alice')
      .engine.command('create_group', 1, { name: 'board', member_ids: [world.userOf('bob')] });
    const [group_id, , channel_id] = made.event_ids as string[];
    world.say('alice', 'the numbers are bad', channel_id);
    world.gather();
    expect(world.read('bob', channel_id)).toEqual(['the numbers are bad']);
    expect(world.read('carol', channel_id)).toEqual([]);
    // Nobody outside has so much as a header of it.
    for (const name of ['carol', 'dave'])
      expect(world.node(name).all('SELECT count(*) AS events FROM event WHERE group_n IS NOT NULL')).toEqual([
        { events: 0 },
      ]);
    world.node('alice').engine.command('add_to_group', 1, { group_id, user_id: world.userOf('carol') });
    world.gather();
    expect(world.read('carol', channel_id)).toEqual(['the numbers are bad']);
    world.say('carol', 'how bad?', channel_id);
    world.gather();
    expect(world.read('bob', channel_id)).toEqual(['the numbers are bad', 'how bad?']);
    expect(world.node('dave').all('SELECT count(*) AS events FROM event WHERE group_n IS NOT NULL')).toEqual([
      { events: 0 },
    ]);
    expect(
      refusal(() =>
        world.node('bob').engine.command('add_to_group', 1, { group_id, user_id: world.userOf('dave') }),
      ),
    ).toBe('author_may_add');
  });

  it('a direct conversation is a group of two that nobody else sees', () => {
    const world = home('bob', 'carol');
    const made = world.node('bob').engine.command('open_direct', 1, { user_id: world.userOf('carol') });
    const channel_id = made.event_ids[1] as string;
    world.say('bob', 'just us', channel_id);
    world.gather();
    expect(world.read('carol', channel_id)).toEqual(['just us']);
    expect(world.read('alice', channel_id)).toEqual([]);
    expect(world.node('carol').query('get_direct_channels', { user_id: world.userOf('bob') })).toMatchObject([
      { channel_id },
    ]);
  });
});

describe('a clock that stands', () => {
  it('S2: two groups that the same people found at one time are two', () => {
    const world = home('bob');
    const { engine } = world.node('alice');
    const open = () => engine.command('open_direct', 1, { user_id: world.userOf('bob') }).event_ids[0];
    expect(open()).not.toBe(open());
  });
});

describe('several devices of one user', () => {
  it('a second device joins by a link made on the first, and then counts as that user', () => {
    const world = home('bob');
    world.say('bob', 'from the laptop');
    world.meet('alice', 'bob');
    world.link('bob', 'phone');
    world.gather();
    expect(world.read('phone')).toEqual(['from the laptop']);
    expect(world.userOf('phone')).toBe(world.userOf('bob'));
    world.say('phone', 'from the phone');
    world.gather();
    expect(world.read('alice')).toEqual(['from the laptop', 'from the phone']);
    const members = world
      .node('alice')
      .query<{ name: string; devices: number }>('get_members', { group_id: null });
    expect(members.find((member) => member.name === 'bob')?.devices).toBe(2);
  });
});

describe('removal', () => {
  it('S12: what somebody wrote before stays, what comes after does not count, and nothing new is sealed for them', () => {
    const world = home('bob', 'eve');
    world.say('eve', 'before');
    world.gather();
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.meet('alice', 'bob');
    world.say('eve', 'after');
    // Eve's own device does not know yet: Bob does, and refuses her.
    world.meet('bob', 'eve');
    expect(world.read('bob')).toEqual(['before']);
    world.say('alice', 'without eve');
    world.gather();
    expect(world.read('bob')).toEqual(['before', 'without eve']);
    expect(world.read('eve')).toEqual(['before', 'after']);
    const keys = world.node('bob').query<{ events: number }>('get_keys');
    expect(keys.length).toBeGreaterThan(2);
  });

  it('F11: events of the removed that a third brings later do not count either, in whatever order', () => {
    const world = home('bob', 'carol', 'eve');
    world.say('eve', 'before');
    world.gather();
    world.say('eve', 'after');
    world.meet('eve', 'carol');
    expect(world.read('carol')).toEqual(['before', 'after']);
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol']) expect(world.read(name)).toEqual(['before']);
    expect(world.waiting('carol')).toEqual({ author_removed: 1 });
  });

  it('of two concurrent removals the higher cut holds', () => {
    const world = home('bob', 'carol', 'eve');
    world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'admin' });
    world.gather();
    world.say('eve', 'heard by bob only');
    world.meet('eve', 'bob');
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.node('bob').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol']) expect(world.read(name)).toEqual(['heard by bob only']);
  });

  it('mutual removals end alike everywhere: the senior one holds', () => {
    const world = home('bob', 'carol', 'dave');
    world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'admin' });
    world.gather();
    world.node('bob').engine.command('grant_right', 1, { user_id: world.userOf('carol'), right: 'admin' });
    world.gather();
    world.node('carol').engine.command('remove_user', 1, { user_id: world.userOf('bob'), group_id: null });
    world.node('bob').engine.command('remove_user', 1, { user_id: world.userOf('carol'), group_id: null });
    world.meet('carol', 'dave');
    world.meet('bob', 'alice');
    world.gather(['alice', 'dave']);
    for (const name of ['alice', 'dave']) {
      const removed = (user: string) =>
        world.node(name).query('is_removed_device', { device_id: world.device(user) }).length;
      expect([removed('carol'), removed('bob')]).toEqual([1, 0]);
    }
  });

  it('rights can be taken back: what was done by them before stays, what comes after waits', () => {
    const world = home('bob', 'carol');
    const { engine } = world.node('alice');
    engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'delete' });
    const first = world.say('carol', 'first');
    const second = world.say('carol', 'second');
    world.gather();
    world.node('bob').engine.command('remove_message', 1, { message_id: first });
    world.gather();
    engine.command('revoke_right', 1, { user_id: world.userOf('bob'), right: 'delete' });
    world.node('bob').engine.command('remove_message', 1, { message_id: second });
    world.gather();
    world.gather();
    for (const name of ['alice', 'bob', 'carol'])
      expect([name, world.read(name)]).toEqual([name, ['second']]);
    expect(refusal(() => world.node('bob').engine.command('remove_message', 1, { message_id: second }))).toBe(
      'author_may_delete',
    );
  });

  it('somebody can leave, and is gone for all', () => {
    const world = home('bob');
    world.say('bob', 'goodbye');
    world.node('bob').engine.command('leave_network', 1, {});
    world.gather();
    expect(world.read('alice')).toEqual(['goodbye']);
    expect(world.node('alice').query('is_member', { device_id: world.device('bob') })).toEqual([]);
  });

  it('a removed member of a private group whose remover is not in it is cut off there by its members', () => {
    const world = home('bob', 'eve');
    const made = world
      .node('bob')
      .engine.command('create_group', 1, { name: 'plans', member_ids: [world.userOf('eve')] });
    const channel_id = made.event_ids[2] as string;
    world.gather();
    world.say('eve', 'in', channel_id);
    world.gather();
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.meet('alice', 'bob');
    world.say('bob', 'for me alone', channel_id);
    expect(world.read('bob', channel_id)).toEqual(['in', 'for me alone']);
    expect(world.node('bob').query('get_groups_to_close', { limit: 10 })).toHaveLength(1);
    expect(world.runJob('bob', 'close_groups_job')).toBe(1);
    expect(world.runJob('bob', 'close_groups_job')).toBe(0);
    expect(world.read('bob', channel_id)).toEqual(['in', 'for me alone']);
    expect(world.node('bob').query('get_keys')).toContainEqual(
      expect.objectContaining({ devices: 1, devices_owed: 0 }),
    );
  });
});

describe('edits', () => {
  it('the new text takes the place of the old, which is forgotten; who came later reads it, too', () => {
    const world = home('bob');
    const message_id = world.say('bob', 'helo');
    world.gather();
    world.node('bob').engine.command('edit_message', 1, { message_id, text: 'hello' });
    world.gather();
    expect(world.read('alice')).toEqual(['hello']);
    expect(world.node('alice').query('get_versions', { message_id })).toHaveLength(2);
    expect(
      world
        .node('alice')
        .all('SELECT count(*) AS bodies FROM event WHERE superseded = 1 AND body IS NOT NULL'),
    ).toEqual([{ bodies: 0 }]);
    world.join('alice', 'carol');
    world.gather();
    expect(world.read('carol')).toEqual(['hello']);
    expect(world.waiting('carol')).toEqual({});
    world.node('carol').engine.command('react', 1, { message_id, emoji: '👍' });
    world.gather();
    expect(world.node('bob').query('get_reactions', { channel_id: world.channel_id, limit: 5 })).toHaveLength(
      1,
    );
    world.node('bob').engine.command('remove_message', 1, { message_id });
    world.gather();
    for (const name of ['alice', 'bob', 'carol']) expect(world.read(name)).toEqual([]);
    expect(
      refusal(() => world.node('alice').engine.command('edit_message', 1, { message_id, text: 'x' })),
    ).toBe('not_found');
  });
});
