/** How people get in: invites and their limits, links for further devices, and being given the keys while everybody sleeps. */
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const DAY_MS = 86_400_000;

function home(...names: string[]): World {
  const world = new World({ seed: names.length + 50 });
  world.found('alice');
  for (const name of names) world.join('alice', name);
  world.gather();
  return world;
}

const isMember = (world: World, name: string, of = 'alice') =>
  world.node(of).query('is_member', { device_id: world.device(name) }).length > 0;

describe('invites', () => {
  it('F21: an invite lets in as many as it says, and not one more', () => {
    const world = home();
    const invite = world.invite('alice', 2);
    for (const name of ['bob', 'carol', 'dave']) {
      world.useInvite(invite, world.node(name));
      world.meet('alice', name);
    }
    expect(['bob', 'carol', 'dave'].map((name) => isMember(world, name))).toEqual([true, true, false]);
    // Whoever is outside has heard nothing.
    expect(world.read('dave')).toEqual([]);
    expect(world.node('dave').all('SELECT count(*) AS events FROM event')).toEqual([{ events: 0 }]);
  });

  it('F21: two members who let people in at the same time let both in, which everybody can see', () => {
    const world = home('bob');
    const invite = world.invite('alice', 1);
    world.meet('alice', 'bob');
    world.useInvite(invite, world.node('carol'));
    world.useInvite(invite, world.node('dave'));
    world.meet('alice', 'carol');
    world.meet('bob', 'dave');
    world.gather();
    for (const name of ['alice', 'bob', 'carol', 'dave']) {
      expect(['carol', 'dave'].map((joiner) => isMember(world, joiner, name))).toEqual([true, true]);
      const invites = world.node(name).query<{ uses: number; used: number }>('get_invites');
      expect(invites.filter(({ uses, used }) => used > uses)).toHaveLength(1);
    }
  });

  it('S19: whoever used one while everybody was away is let in when they come back, be it after more than a month', () => {
    const world = home();
    const year = world.node('alice').engine.command('create_invite', 1, { uses: 1, ttl_ms: 365 * DAY_MS });
    world.useInvite({ made: year, user_id: null }, world.node('bob'));
    world.clock.pass(40 * DAY_MS);
    expect(world.runJob('bob', 'release_waiting_job')).toBe(0);
    world.node('bob').engine.instruct(1, 'test', 'release-waiting', {});
    world.meet('alice', 'bob');
    expect(isMember(world, 'bob')).toBe(true);
  });

  it('F21: after its time, or once it is taken back, it opens nothing; whoever was let in stays', () => {
    const world = home();
    const late = world.invite('alice', 5);
    world.useInvite(late, world.node('bob'));
    world.meet('alice', 'bob');
    world.clock.pass(8 * DAY_MS);
    world.useInvite(late, world.node('carol'));
    world.meet('alice', 'carol');
    const revoked = world.invite('alice', 5);
    world.node('alice').engine.command('take_invite_back', 1, { invite_id: revoked.made.event_ids[1] });
    world.useInvite(revoked, world.node('dave'));
    world.meet('alice', 'dave');
    expect(['bob', 'carol', 'dave'].map((name) => isMember(world, name))).toEqual([true, false, false]);
  });

  it('invites of somebody who was removed open nothing any more', () => {
    const world = home('bob');
    world.node('alice').engine.command('grant_right', 1, { user_id: world.userOf('bob'), right: 'invite' });
    world.gather();
    const invite = world.invite('bob', 5);
    world.gather();
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('bob'), group_id: null });
    world.useInvite(invite, world.node('carol'));
    world.meet('alice', 'carol');
    expect(isMember(world, 'carol')).toBe(false);
  });

  it('only who has the right can invite', () => {
    const world = home('bob');
    expect(() => world.invite('bob')).toThrow(/'invite'/);
  });

  it("a device's link lets no new user in, and no second device", () => {
    const world = home('bob');
    const made = world.node('bob').engine.command('create_device_link', 1, { ttl_ms: DAY_MS });
    world.gather();
    world.useInvite({ made, user_id: null }, world.node('eve'));
    world.meet('bob', 'eve');
    expect(isMember(world, 'eve', 'bob')).toBe(false);
    const link = { made, user_id: world.userOf('bob') };
    world.useInvite(link, world.node('phone'));
    world.meet('bob', 'phone');
    world.useInvite(link, world.node('tablet'));
    world.meet('bob', 'tablet');
    expect(['phone', 'tablet'].map((name) => isMember(world, name, 'bob'))).toEqual([true, false]);
  });

  it('who was let in by somebody whose word does not count is let in again by a member who may', () => {
    const world = home('bob', 'carol');
    const invite = world.invite('alice', 1);
    world.gather();
    // Bob is removed while he is away, and lets Dave in without knowing it.
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('bob'), group_id: null });
    world.useInvite(invite, world.node('dave'));
    world.meet('bob', 'dave');
    expect(isMember(world, 'dave', 'bob')).toBe(true);
    // Bob's accomplice brings what he said.
    world.meet('bob', 'carol');
    world.gather(['alice', 'carol']);
    expect(isMember(world, 'dave')).toBe(false);
    world.meet('alice', 'dave');
    world.runJob('alice', 'admit_joiners_job');
    world.gather(['alice', 'carol', 'dave']);
    for (const name of ['alice', 'carol', 'dave']) expect(isMember(world, 'dave', name)).toBe(true);
    world.say('dave', 'here at last');
    world.gather(['alice', 'carol', 'dave']);
    expect(world.read('carol')).toEqual(['here at last']);
  });
});

describe('keys for everybody', () => {
  it('L6: prekeys are replenished before they run out, and their secrets are there first', () => {
    const world = home('bob');
    const usable = () =>
      world
        .node('bob')
        .query<{ usable: number }>('count_usable_prekeys', { until_ms: world.clock.wall + DAY_MS })[0]
        ?.usable;
    expect(usable()).toBe(20);
    expect(world.runJob('bob', 'prekey_replenishment_job')).toBe(0);
    world.clock.pass(6.5 * DAY_MS);
    expect(usable()).toBe(0);
    expect(world.runJob('bob', 'prekey_replenishment_job')).toBe(40);
    expect(usable()).toBe(20);
    const secrets = world.node('bob').all('SELECT count(*) AS secrets FROM prekey_secret');
    expect(secrets).toEqual([{ secrets: 40 }]);
  });

  it('who was away for a month, all prekeys expired, is given the keys once there are new ones', () => {
    const world = home('bob', 'carol');
    world.clock.pass(30 * DAY_MS);
    // New keys meanwhile: Alice has to make some, and Bob has nothing they could be sealed to.
    world.node('alice').engine.command('create_channel', 1, { name: 'later', group_id: null });
    const channel_id =
      world
        .node('alice')
        .query<{ channel_id: string; name: string }>('get_channels')
        .find((channel) => channel.name === 'later')?.channel_id ?? '';
    world.say('alice', 'while you were away', channel_id);
    world.runJob('carol', 'prekey_replenishment_job');
    world.meet('alice', 'carol');
    world.runJob('alice', 'share_keys_job');
    world.meet('alice', 'bob');
    expect(world.waiting('bob')).toEqual({ key_missing: 1 });
    world.runJob('bob', 'prekey_replenishment_job');
    world.meet('alice', 'bob');
    expect(world.read('bob', channel_id)).toEqual(['while you were away']);
    expect(world.waiting('bob')).toEqual({});
  });

  it('who joined while everybody else was away is served by a job later', () => {
    const world = home('bob', 'carol');
    const channel = world
      .node('bob')
      .engine.command('create_group', 1, { name: 'two', member_ids: [world.userOf('carol')] });
    world.gather();
    world.say('bob', 'before the phone', channel.event_ids[2] as string);
    world.meet('bob', 'carol');
    // Carol's phone meets only Alice, who is not in the group and has none of its keys.
    world.link('carol', 'phone');
    world.gather(['carol', 'phone', 'alice']);
    world.clock.pass(11 * 60_000);
    world.meet('bob', 'alice');
    world.runJob('bob', 'share_keys_job');
    world.meet('bob', 'phone');
    expect(world.read('phone', channel.event_ids[2] as string)).toEqual(['before the phone']);
  });

  it('F14: a key that never comes is asked for, once a day, and given by whoever holds it', () => {
    const world = home('bob', 'carol');
    // Bob's device loses what Alice gave it: as if it could not be opened.
    world.say('alice', 'can you read this?');
    const bob = world.node('bob');
    bob.db.exec('DELETE FROM prekey_secret');
    world.meet('alice', 'bob');
    expect(world.waiting('bob')).toEqual({ key_missing: 1 });
    expect(world.runJob('bob', 'request_keys_job')).toBe(0);
    world.clock.pass(2 * 60_000);
    world.runJob('bob', 'prekey_replenishment_job');
    world.clock.pass(1);
    expect(world.runJob('bob', 'request_keys_job')).toBe(1);
    expect(world.runJob('bob', 'request_keys_job')).toBe(0);
    world.meet('alice', 'bob');
    expect(world.read('bob')).toEqual(['can you read this?']);
  });
});

describe('F5: data from an older state', () => {
  it('a device whose data was restored learns from its peers where it was, and writes no second history', () => {
    const world = home('bob');
    world.close();
    const old = world.copy(9);
    old.take(world, 'bob');
    old.close();
    world.say('bob', 'one');
    world.say('bob', 'two');
    world.gather(['alice', 'bob']);
    world.close();
    // The backup takes the place of Bob's data.
    const later = old.copy(10);
    later.clock.wall = world.clock.wall;
    later.take(old, 'bob');
    later.take(world, 'alice');
    later.meet('alice', 'bob');
    later.say('bob', 'three');
    later.meet('alice', 'bob');
    expect(later.read('alice')).toEqual(['one', 'two', 'three']);
    // The key that Bob made himself meanwhile is gone with his data: he asks for it like anybody else.
    later.clock.pass(2 * 60_000);
    expect(later.runJob('bob', 'request_keys_job')).toBe(1);
    later.meet('alice', 'bob');
    expect(later.read('bob')).toEqual(['one', 'two', 'three']);
    expect(later.node('alice').query('get_forks')).toEqual([]);
  });

  it('L3: a device that is set back a second time asks a second time, though it was answered the first', () => {
    const world = home('bob');
    world.close();
    const old = world.copy(9);
    old.take(world, 'bob');
    old.close();
    world.say('bob', 'one');
    world.gather(['alice', 'bob']);
    world.close();
    const asks = (next: World, before: World) => {
      next.clock.wall = before.clock.wall;
      next.take(old, 'bob');
      next.take(before, 'alice');
      next.meet('alice', 'bob');
      next.clock.pass(2 * 60_000);
      // What the copy could have opened is used up: the key comes by a prekey that no copy has.
      next.node('bob').db.exec('DELETE FROM prekey_secret');
      next.runJob('bob', 'prekey_replenishment_job');
      next.clock.pass(1);
    };
    const later = old.copy(10);
    asks(later, world);
    expect(later.runJob('bob', 'request_keys_job')).toBe(1);
    later.meet('alice', 'bob');
    expect(later.read('bob')).toEqual(['one']);
    later.close();
    const last = old.copy(11);
    asks(last, later);
    last.meet('alice', 'bob');
    expect(last.runJob('bob', 'request_keys_job')).toBe(0);
    last.clock.pass(60 * 60_000);
    expect(last.runJob('bob', 'request_keys_job')).toBe(1);
    last.meet('alice', 'bob');
    expect(last.read('bob')).toEqual(['one']);
  });

  it('F24: without having met anybody it does, and then both are kept, and shown as a fork', () => {
    const world = home('bob');
    world.close();
    const old = world.copy(9);
    old.take(world, 'bob');
    world.say('bob', 'one');
    world.gather(['alice', 'bob']);
    world.close();
    old.clock.pass(5);
    old.say('bob', 'another one');
    old.close();
    const later = world.copy(10);
    later.take(old, 'bob');
    later.take(world, 'alice');
    later.meet('alice', 'bob');
    later.clock.pass(2 * 60_000);
    later.runJob('bob', 'request_keys_job');
    later.meet('alice', 'bob');
    expect(later.read('alice')).toEqual(later.read('bob'));
    expect(later.read('alice')).toHaveLength(2);
    for (const name of ['alice', 'bob'])
      expect(later.node(name).query('get_forks')).toContainEqual(
        expect.objectContaining({ seq: 24, events: 2 }),
      );
  });
});
