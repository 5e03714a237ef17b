/**
 * The chain of forgetting, stage by stage, on real engines: what is deleted or expires goes, with every key that could open it; what lives stays.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../core/cbor.ts';
import { encodeEventItem, encodeFrame, encodeTransientItem } from '../core/frame-codec.ts';
import { decodeHeader, encodeHeader } from '../core/header-codec.ts';
import { limits } from '../core/limits.ts';
import { forgeSealed, headerBy, heldKeyOf, plaintextOf, signerOf, unknownKey } from './hostile.ts';
import { quietProtocol, storedEvents, type TestNode } from './support.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface KeyState {
  readonly key_id: string;
  readonly channel_id: string | null;
  readonly dirty_ms: number | null;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
  readonly to_rewrap: number;
  readonly to_remove: number;
  readonly events: number;
  readonly expires_ms: number;
}
const states = (node: TestNode) => node.query<KeyState>('get_key_states');
const ofChannel = (node: TestNode) => states(node).filter((key) => key.channel_id !== null);

function two(seed = 1): World {
  const world = new World({ seed });
  world.found('alice');
  world.join('alice', 'bob');
  world.gather();
  return world;
}
const remove = (world: World, name: string, message_id: string) => {
  world.clock.pass(1);
  world.node(name).engine.command('remove_message', 1, { message_id });
};

describe('S4, S5, S7: a deletion', () => {
  it('makes its key dirty; live messages move to a clean one; the dirty key is zeroed after the grace, on every device', () => {
    const world = two();
    for (let n = 0; n < 5; n++) world.say('alice', `stays ${n}`);
    const gone = world.say('alice', 'goes');
    world.gather();
    const [key] = ofChannel(world.node('bob'));
    expect(key).toMatchObject({ dirty_ms: null, zeroed_ms: null, events: 6 });

    expect(() => remove(world, 'bob', gone)).toThrow(expect.objectContaining({ code: 'author_may_delete' }));
    remove(world, 'alice', gone);
    world.gather();
    const left = ['stays 0', 'stays 1', 'stays 2', 'stays 3', 'stays 4'];
    for (const name of ['alice', 'bob']) {
      expect(world.read(name)).toEqual(left);
      // The deletion itself was sealed under a clean key before it was sent.
      expect(ofChannel(world.node(name))[0]).toMatchObject({ key_id: key!.key_id, to_rewrap: 5 });
      world.forget(name);
      const [old, fresh] = ofChannel(world.node(name));
      expect(old).toMatchObject({ key_id: key!.key_id, to_rewrap: 0, to_remove: 0, zeroed_ms: null });
      expect(fresh).toMatchObject({ dirty_ms: null, events: 6 });
      expect(world.read(name)).toEqual(left);
      world.gather();
    }
    // One key for both: whoever came second had it by then.
    expect(ofChannel(world.node('alice'))[1]!.key_id).toBe(ofChannel(world.node('bob'))[1]!.key_id);
    world.clock.pass(HOUR_MS + 1);
    for (const name of ['alice', 'bob']) {
      world.gather();
      world.forget(name);
      expect(ofChannel(world.node(name))[0]).toMatchObject({ key_id: key!.key_id, events: 0 });
      expect(ofChannel(world.node(name))[0]!.zeroed_ms).not.toBeNull();
      expect(world.read(name)).toEqual(left);
    }
  });

  it('outlives its target: a peer that was away, or restored an old backup, does not bring it back', () => {
    const world = two();
    world.join('alice', 'carol');
    world.gather();
    const gone = world.say('alice', 'goes');
    world.say('alice', 'stays');
    world.gather();
    world.node('bob').db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    const backup = join(world.folder, 'bob.backup');
    copyFileSync(join(world.folder, 'bob.db'), backup);
    remove(world, 'alice', gone);
    world.meet('alice', 'bob');
    for (let run = 0; run < 3; run++) {
      for (const name of ['alice', 'bob']) world.forget(name);
      world.clock.pass(HOUR_MS);
      world.meet('alice', 'bob');
    }
    world.node('bob').db.close();
    world.nodes.delete('bob');
    copyFileSync(backup, join(world.folder, 'bob.db'));
    // Chance does not repeat itself.
    Object.assign(world, { seed: 77 });
    world.clock.pass(365 * DAY_MS);
    expect(world.read('bob')).toEqual(['goes', 'stays']);
    expect(world.read('carol')).toEqual(['goes', 'stays']);
    world.meet('bob', 'carol');
    for (const name of ['alice', 'bob', 'carol']) world.runJob(name, 'prekey_replenishment_job');
    world.gather();
    for (const name of ['alice', 'bob', 'carol']) expect(world.read(name)).toEqual(['stays']);
    for (let run = 0; run < 3; run++) {
      for (const name of ['alice', 'bob', 'carol']) world.forget(name);
      world.clock.pass(HOUR_MS);
      world.gather();
    }
    for (const name of ['alice', 'bob', 'carol']) {
      const dirty = states(world.node(name)).filter((key) => key.dirty_ms !== null);
      expect(dirty.length).toBeGreaterThan(0);
      expect(dirty.filter((key) => key.zeroed_ms === null)).toEqual([]);
      expect(world.read(name)).toEqual(['stays']);
    }
  });

  it('is said to be forgotten by each device once it is, and the others count them', () => {
    const world = two();
    world.join('alice', 'carol');
    world.gather();
    const gone = world.say('alice', 'goes');
    world.say('bob', 'stays');
    world.gather();
    remove(world, 'alice', gone);
    interface Deletion {
      readonly message_id: string;
      readonly is_forgotten: boolean;
      readonly devices: number;
      readonly others_forgotten: number;
    }
    const seen = (name: string) => world.node(name).query<Deletion>('get_deletions', { limit: 5 });
    expect(seen('alice')).toMatchObject([
      { message_id: gone, is_forgotten: false, devices: 3, others_forgotten: 0 },
    ]);
    // Carol is away: she has not heard of it.
    const round = (names: readonly string[]) => {
      for (let run = 0; run < 6; run++) {
        for (const name of names) world.forget(name);
        world.clock.pass(HOUR_MS);
        world.gather(names);
      }
    };
    round(['alice', 'bob']);
    for (const name of ['alice', 'bob'])
      expect(seen(name)).toMatchObject([{ is_forgotten: true, devices: 3, others_forgotten: 1 }]);
    expect(seen('carol')).toEqual([]);
    round(['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol'])
      expect(seen(name)).toMatchObject([{ is_forgotten: true, devices: 3, others_forgotten: 2 }]);
  });

  it('of a channel takes everything in it; of a group all its channels and its name', () => {
    const world = two();
    const { engine } = world.node('alice');
    const bob = world.userOf('bob', 'alice');
    const [founded] = engine.command('create_group', 1, { name: 'plans', member_ids: [bob] }).event_ids;
    const plans = engine.command('create_channel', 1, { name: 'more', group_id: founded }).event_ids[0]!;
    const random = engine.command('create_channel', 1, { name: 'random' }).event_ids[0]!;
    const message_id = world.say('alice', 'in random', random);
    world.say('alice', 'in plans', plans);
    world.say('alice', 'stays');
    world.gather();
    world.node('bob').engine.command('react', 1, { message_id, emoji: '👍' });
    world.gather();
    const named = (name: string) =>
      world
        .node(name)
        .query<{ name: string; group_name: string | null }>('get_channels')
        .map((one) => one.name)
        .toSorted();
    expect(named('bob')).toEqual(['general', 'more', 'plans', 'random']);
    expect(() => world.node('bob').engine.command('remove_channel', 1, { channel_id: random })).toThrow(
      expect.objectContaining({ code: 'author_may_delete' }),
    );
    world.clock.pass(1);
    engine.command('remove_channel', 1, { channel_id: random });
    world.gather();
    for (const name of ['alice', 'bob']) {
      expect(named(name)).toEqual(['general', 'more', 'plans']);
      expect(world.read(name, random)).toEqual([]);
      expect(world.node(name).all('SELECT * FROM reaction')).toEqual([]);
    }
    engine.command('remove_group', 1, { group_id: founded });
    world.gather();
    for (const name of ['alice', 'bob']) {
      expect(named(name)).toEqual(['general']);
      expect(world.node(name).query('get_groups')).toEqual([]);
      world.forget(name, 0);
    }
    // Nothing in them is left to be sealed anew: their keys go at once. What the network's names are under is sealed anew.
    for (const name of ['alice', 'bob']) {
      const { length } = states(world.node(name)).filter(
        (key) => key.dirty_ms !== null && key.zeroed_ms === null,
      );
      expect(length).toBe(0);
      expect(world.read(name)).toEqual(['stays']);
    }
  });

  it('of a channel with more in it than dies at once: nothing of it is shown from then on, and the rest goes in turns', () => {
    const world = two();
    const { engine } = world.node('alice');
    const big = engine.command('create_channel', 1, { name: 'big' }).event_ids[0]!;
    const many = 1_100;
    engine.transact((transaction) => {
      const send = quietProtocol.commands.get('send_message')!;
      for (let n = 0; n < many; n++) {
        const input = { channel_id: big, text: `one of many ${n}`, ttl_ms: 0 };
        const drafts = engine.pure.command(send, input, engine.scope(1, transaction.now_ms));
        transaction.submit(1, { kind: 'command', name: 'send_message' }, drafts);
      }
    });
    const message_id = world.say('alice', 'stays');
    const [one] = world
      .node('alice')
      .query<{ message_id: string }>('get_messages', { channel_id: big, limit: 1 });
    world.clock.pass(1);
    engine.command('react', 1, { message_id: one!.message_id, emoji: '👍' });
    engine.command('remove_channel', 1, { channel_id: big });
    expect(world.read('alice', big)).toEqual([]);
    expect(world.node('alice').query('get_message_by_id', { message_id: one!.message_id })).toEqual([]);
    const live = () =>
      world
        .node('alice')
        .all(`SELECT count(*) AS n FROM event WHERE type IN ('message', 'reaction') AND body IS NOT NULL`)[0]!
        .n;
    expect(live()).toBe(many + 2);
    // What is going to die is not sealed anew before.
    let runs = 0;
    for (; world.runJob('alice', 'rekey_creation_job') === 4; runs++)
      expect(world.node('alice').all('SELECT count(*) AS n FROM wrap WHERE replaced = 1')).toEqual([
        { n: 0 },
      ]);
    expect(runs).toBeGreaterThan(1);
    expect(live()).toBe(1);
    expect(world.node('alice').all('SELECT * FROM dying')).toEqual([]);
    world.forget('alice', 0);
    expect(world.read('alice')).toEqual(['stays']);
    expect(message_id).toHaveLength(64);
    const left = ofChannel(world.node('alice')).filter(
      (key) => key.channel_id === big && key.zeroed_ms === null,
    );
    expect(left).toEqual([]);
  });

  it('of what was edited: the old words are deleted with their key', () => {
    const world = two();
    const message_id = world.say('bob', 'frist');
    world.gather();
    const [key] = ofChannel(world.node('alice'));
    world.clock.pass(1);
    world.node('bob').engine.command('edit_message', 1, { message_id, text: 'first' });
    world.gather();
    for (const name of ['alice', 'bob']) {
      expect(ofChannel(world.node(name))[0]).toMatchObject({ key_id: key!.key_id });
      expect(ofChannel(world.node(name))[0]!.dirty_ms).not.toBeNull();
      world.forget(name, 0);
      world.gather();
      expect(ofChannel(world.node(name))[0]!.zeroed_ms).not.toBeNull();
      expect(world.read(name)).toEqual(['first']);
    }
  });
});

describe('S7, E17: what has expired', () => {
  it('is invisible at once, gone from the disk after the job, and its key is erased without any rekeying', () => {
    const world = two();
    world.say('alice', 'for an hour', world.channel_id, HOUR_MS);
    world.say('alice', 'stays');
    world.gather();
    world.clock.pass(HOUR_MS);
    for (const name of ['alice', 'bob']) {
      const node = world.node(name);
      expect(world.read(name)).toEqual(['stays']);
      const bodies = `SELECT count(*) AS n FROM event WHERE body IS NOT NULL AND expires_ms < ${world.clock.wall + 1} AND type = 'message'`;
      expect(node.all(bodies)).toEqual([{ n: 1 }]);
      world.runJob(name, 'ttl_cleanup_job');
      expect(node.all(bodies)).toEqual([{ n: 0 }]);
      expect(world.runJob(name, 'ttl_cleanup_job')).toBe(0);
      expect(world.runJob(name, 'rekey_creation_job')).toBe(0);
    }
    // Its class has cells of five minutes.
    world.clock.pass(6 * 60_000);
    for (const name of ['alice', 'bob']) {
      world.runJob(name, 'purge_unused_keys_job');
      const short = ofChannel(world.node(name)).filter((key) => key.expires_ms < Number.MAX_SAFE_INTEGER);
      expect(short).toHaveLength(1);
      world.receipt(name);
      expect(ofChannel(world.node(name)).find((key) => key.key_id === short[0]!.key_id)).toMatchObject({
        dirty_ms: null,
        zeroed_ms: world.clock.wall,
      });
    }
    expect(world.read('bob')).toEqual(['stays']);
  });

  it('S1, L10: leaves nothing but headers, also where it had been edited', () => {
    const world = two();
    const message_id = world.say('alice', 'for an hour', world.channel_id, HOUR_MS);
    world.clock.pass(1);
    const edit = { message_id, text: 'for an hour, corrected' };
    world.node('alice').engine.command('edit_message', 1, edit);
    world.gather();
    world.node('bob').engine.command('react', 1, { message_id, emoji: 'yes' });
    world.gather();
    world.clock.pass(HOUR_MS);
    for (const name of ['alice', 'bob']) {
      const node = world.node(name);
      expect(node.all('SELECT count(*) AS n FROM event WHERE superseded = 1')).toEqual([{ n: 1 }]);
      world.runJob(name, 'ttl_cleanup_job');
      for (const left of ['event WHERE superseded = 1', 'message', 'edit', 'reaction', 'aimed_at'])
        expect(node.all(`SELECT count(*) AS n FROM ${left}`), left).toEqual([{ n: 0 }]);
      expect(world.runJob(name, 'ttl_cleanup_job')).toBe(0);
    }
  });

  it('is stamped by the channel on what is sent from then on, unless somebody says otherwise', () => {
    const world = two();
    const { channel_id } = world;
    world.say('alice', 'before');
    world.node('bob').engine.command('set_retention', 1, { channel_id, ttl_ms: HOUR_MS });
    world.gather();
    const send = (text: string, ttl_ms: number | null) =>
      world.node('alice').engine.command('send_message', 1, { channel_id, text, ttl_ms });
    send('as the channel says', null);
    send('for ever', 0);
    world.gather();
    expect(world.node('alice').query('get_channels')[0]).toMatchObject({ retention_ms: HOUR_MS });
    world.clock.pass(HOUR_MS);
    expect(world.read('bob')).toEqual(['before', 'for ever']);
    world.node('alice').engine.command('set_retention', 1, { channel_id, ttl_ms: 0 });
    send('for ever again', null);
    world.gather();
    world.clock.pass(DAY_MS);
    expect(world.read('bob')).toEqual(['before', 'for ever', 'for ever again']);
  });
});

describe('E10, E11: records under a key that must go', () => {
  it('that come late are not taken in, but asked for again; their author seals them anew before sending', () => {
    const world = two();
    const gone = world.say('alice', 'goes');
    world.gather();
    // Bob writes while he is away, under the key that he has.
    world.say('bob', 'written under the old key');
    const frame = encodeFrame(
      storedEvents(world.node('bob'))
        .filter(({ type }) => type === 'message')
        .map(encodeEventItem),
    );
    remove(world, 'alice', gone);
    world.forget('alice', 0);
    const old = ofChannel(world.node('alice')).find((key) => key.dirty_ms !== null)!;
    expect(old.zeroed_ms).not.toBeNull();
    const session = { session_id: 'late', device_id: world.device('bob') };
    world.node('alice').engine.receive(1, session, frame);
    expect(world.read('alice')).toEqual([]);
    expect(world.node('alice').engine.pipeline.counters.get('rejected:key_closed')).toBe(1);
    expect(world.node('alice').takeItems('late')).toHaveLength(1);
    world.gather();
    for (const name of ['alice', 'bob']) expect(world.read(name)).toEqual(['written under the old key']);
    expect(world.waiting('alice')).toEqual({});
    // And nobody was given anything under the old key.
    const under = `SELECT count(*) AS n FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.sealed IS NOT NULL AND hex(k.id) = '${old.key_id.toUpperCase()}'`;
    expect(world.node('alice').all(under)).toEqual([{ n: 0 }]);
  });

  it('cannot be made up by somebody to pin a key that expires: a wrap that does not open is nothing, also of what waits for another key', () => {
    const world = two();
    world.say('alice', 'for an hour', world.channel_id, HOUR_MS);
    world.gather();
    const { network_id, channel_id } = world;
    const bob = world.node('bob');
    const pinned = heldKeyOf(bob, network_id, channel_id);
    // Sealed under a key that Bob never gets; beside it somebody put what claims to be under the key that is to go.
    const words = plaintextOf('message', { channel_id, text: 'for ever' });
    const signer = signerOf(world.node('alice'));
    const header = headerBy(signer, network_id, {
      group_id: network_id,
      created_ms: world.clock.wall,
      seq: 99,
    });
    const { item } = forgeSealed(
      header,
      words,
      signer,
      unknownKey(network_id, channel_id, new Uint8Array(32).fill(1)),
      { wrap: (wrap) => [wrap, { key_id: pinned.key_id, sealed: new Uint8Array(48) }] },
    );
    bob.engine.receive(1, { session_id: 's', device_id: world.device('alice') }, encodeFrame([item]));
    expect(world.waiting('bob')).toEqual({ key_missing: 1 });
    // Its class has cells of five minutes.
    world.clock.pass(HOUR_MS + 6 * 60_000);
    world.forget('bob');
    const key = ofChannel(bob).find(({ key_id }) => key_id === pinned.key_id);
    expect(key).toMatchObject({ zeroed_ms: world.clock.wall });
    expect(world.waiting('bob')).toEqual({ key_missing: 1 });
  });

  it('that came before they could be judged are sealed anew with the others, and live on', () => {
    const world = two();
    world.join('alice', 'carol');
    world.gather();
    const gone = world.say('alice', 'goes');
    const channel_id = world.node('carol').engine.command('create_channel', 1, { name: 'late' })
      .event_ids[0]!;
    world.gather(['alice', 'bob']);
    world.meet('alice', 'carol');
    // Carol reacts to something of Bob's that Alice has not heard of: it waits with her, under the key of the channel.
    world.say('alice', 'one');
    world.gather();
    const said = world.say('bob', 'two');
    world.meet('bob', 'carol');
    world.clock.pass(1);
    world.node('carol').engine.command('react', 1, { message_id: said, emoji: '👍' });
    const reaction = storedEvents(world.node('carol')).filter(({ type }) => type === 'reaction');
    const session = { session_id: 'early', device_id: world.device('carol') };
    world.node('alice').engine.receive(1, session, encodeFrame(reaction.map(encodeEventItem)));
    expect(world.waiting('alice')).toEqual({ dependency_missing: 1 });
    remove(world, 'alice', gone);
    world.forget('alice', 0);
    const old = ofChannel(world.node('alice')).find(
      (key) => key.dirty_ms !== null && key.channel_id === world.channel_id,
    )!;
    expect(old.zeroed_ms).not.toBeNull();
    expect(world.waiting('alice')).toEqual({ dependency_missing: 1 });
    // What it waited for comes, and Carol is gone for good.
    world.nodes.delete('carol');
    world.meet('alice', 'bob');
    expect(world.waiting('alice')).toEqual({});
    expect(
      world.node('alice').query('get_reactions', { channel_id: world.channel_id, limit: 9 }),
    ).toMatchObject([{ message_id: said, emoji: '👍' }]);
    expect(channel_id).toHaveLength(64);
  });

  it('S9: a purge, a receipt or a rekeying that comes from the network is turned away at the door', () => {
    const world = two();
    world.say('alice', 'stays');
    const before = states(world.node('alice'));
    const item = (type: string) =>
      encodeTransientItem(type, encode(new Map([['key_id', Uint8Array.fromHex(before[0]!.key_id)]])));
    const session = { session_id: 'x', device_id: world.device('bob') };
    const types = ['purge-key', 'purge-receipt', 'rekey', 'mint-key', 'delete-event', 'retire-prekeys'];
    world.node('alice').engine.receive(1, session, encodeFrame(types.map(item)));
    expect(world.node('alice').engine.pipeline.counters.get('rejected:local_type_from_network')).toBe(
      types.length,
    );
    expect(states(world.node('alice'))).toEqual(before);
  });
});

describe('design 7.8: prekeys', () => {
  it('are retired once a key they may have carried is dirty, and only when they are gone is it unreachable', () => {
    const world = two();
    const gone = world.say('alice', 'goes');
    world.gather();
    const prekeys = () =>
      world
        .node('bob')
        .all('SELECT hex(public_key) AS id, retired_ms FROM prekey_secret')
        .map(({ id, retired_ms }) => ({ id: id as string, retired: retired_ms !== null }));
    const first = prekeys().map(({ id }) => id);
    expect(first).toHaveLength(20);
    remove(world, 'alice', gone);
    world.gather();
    world.clock.pass(1);
    world.forget('bob');
    expect(
      prekeys()
        .filter(({ retired }) => retired)
        .map(({ id }) => id),
    ).toEqual(first);
    expect(prekeys()).toHaveLength(40);
    world.clock.pass(HOUR_MS + 1);
    world.forget('alice');
    world.forget('bob');
    // The key is gone from its slot; its prekeys wait for a sync, so that nothing on its way to them is lost.
    const old = () => ofChannel(world.node('bob')).find((key) => key.dirty_ms !== null)!;
    expect(old()).toMatchObject({ unreachable_ms: null });
    expect(old().zeroed_ms).not.toBeNull();
    expect(prekeys()).toHaveLength(40);
    world.clock.pass(60_001);
    world.gather();
    world.forget('bob');
    expect(
      prekeys()
        .map(({ id }) => id)
        .filter((id) => first.includes(id)),
    ).toEqual([]);
    expect(old().unreachable_ms).not.toBeNull();
  });
});

describe('L6: prekeys that were retired', () => {
  it('and are all that others know: what is sealed to them comes again once there are new ones', () => {
    const world = two();
    world.join('alice', 'carol');
    const gone = world.say('alice', 'goes');
    world.gather();
    const prekeys = () =>
      world
        .node('bob')
        .all('SELECT hex(public_key) AS id FROM prekey_secret')
        .map(({ id }) => id as string);
    const first = prekeys();
    // Carol is away. Bob forgets, and has retired and erased every prekey that she knows of, and agreed about it with Alice.
    remove(world, 'alice', gone);
    world.meet('alice', 'bob');
    for (const ms of [1, HOUR_MS + 1, 60_001]) {
      world.clock.pass(ms);
      world.forget('bob');
      for (let meeting = 0; meeting < 3; meeting++) world.meet('alice', 'bob');
    }
    world.forget('bob');
    expect(prekeys().filter((id) => first.includes(id))).toEqual([]);
    expect(prekeys()).toHaveLength(20);
    // What Carol says now is under a key that is sealed to one of those.
    const made = world.node('carol').engine.command('create_channel', 1, { name: 'new' });
    const channel_id = made.event_ids[0] as string;
    world.say('carol', 'can you read this?', channel_id);
    const delivered = world
      .node('carol')
      .all(
        'SELECT hex(d.device) AS device, e.body FROM key_delivery d JOIN event e ON e.n = d.event ORDER BY d.event DESC',
      );
    const to_bob = delivered.find(({ device }) => device === world.device('bob').toUpperCase());
    const sealed_to = decode(to_bob?.body as Uint8Array) as ReadonlyMap<string, Uint8Array>;
    expect(first).toContain(sealed_to.get('prekey')?.toHex().toUpperCase());
    world.meet('carol', 'bob');
    expect(world.read('bob', channel_id)).toEqual([]);
    expect(world.waiting('bob')).toMatchObject({ key_missing: expect.any(Number) });
    // She has his new ones by now. He asks, as the job does.
    world.clock.pass(60_001);
    expect(world.runJob('bob', 'request_keys_job')).toBeGreaterThan(0);
    world.meet('carol', 'bob');
    world.meet('carol', 'bob');
    expect(world.read('bob', channel_id)).toEqual(['can you read this?']);
    expect(world.waiting('bob')).toEqual({});
  });
});

describe('the order of the jobs', () => {
  it('rekeys at most what one key seals for one deletion, however much the channel holds', () => {
    expect(limits.events_per_key_max).toBe(4_096);
    const world = two();
    const ids: string[] = [];
    world.node('alice').db.exec('UPDATE group_key SET events = 0');
    for (let n = 0; n < 30; n++) {
      if (n % 10 === 0)
        world
          .node('alice')
          .db.exec(`UPDATE group_key SET events = ${limits.events_per_key_max} WHERE channel_id IS NOT NULL`);
      ids.push(world.say('alice', `message ${n}`));
    }
    remove(world, 'alice', ids[15]!);
    const owed = ofChannel(world.node('alice')).reduce((sum, key) => sum + key.to_rewrap, 0);
    expect(owed).toBe(9);
  });
});

describe('S4, E1: a purge that is only proposed', () => {
  const propose = (node: TestNode, key_id: string) =>
    node.engine.instruct(1, 'test', 'purge-key', { kind: 'group_key', key_id, secure_delete: true });
  const isHeld = (node: TestNode, key_id: string) =>
    node.all(`SELECT 1 FROM group_key WHERE slot IS NOT NULL AND hex(id) = '${key_id.toUpperCase()}'`)
      .length === 1;
  const count = (node: TestNode, counter: string) =>
    node.engine.pipeline.counters.get(`purge:${counter}`) ?? 0;

  it('leaves a key alone that is clean, though nothing lives under it: what is said next is sealed with it', () => {
    const world = two();
    const alice = world.node('alice');
    world.say('alice', 'for an hour', world.channel_id, HOUR_MS);
    world.clock.pass(HOUR_MS);
    const [key] = ofChannel(alice);
    expect(world.read('alice')).toEqual([]);
    expect(key!.expires_ms).toBeGreaterThan(world.clock.wall_ms());
    propose(alice, key!.key_id);
    expect(count(alice, 'key_is_clean')).toBe(1);
    expect(isHeld(alice, key!.key_id)).toBe(true);
    expect(ofChannel(alice)).toEqual([key]);
  });

  it('leaves a dirty key alone while a message that lives has no other, and takes it once none has', () => {
    const world = two();
    const alice = world.node('alice');
    const gone = world.say('alice', 'goes');
    world.say('alice', 'stays');
    remove(world, 'alice', gone);
    const [key] = ofChannel(alice);
    propose(alice, key!.key_id);
    expect(count(alice, 'key_is_needed')).toBe(1);
    expect(isHeld(alice, key!.key_id)).toBe(true);
    // All but the last step, which waits for the grace.
    world.forget('alice');
    expect(ofChannel(alice)[0]).toMatchObject({ to_rewrap: 0, to_remove: 0 });
    expect(isHeld(alice, key!.key_id)).toBe(true);
    propose(alice, key!.key_id);
    expect(isHeld(alice, key!.key_id)).toBe(false);
    expect(world.read('alice')).toEqual(['stays']);
  });
});

describe('S6, E15: what counts as sealed anew', () => {
  it('is a wrap that opens to the committed key, asked when the old one is to go: a damaged one does not cost the event', () => {
    const world = two();
    const gone = world.say('alice', 'goes');
    world.say('alice', 'stays');
    remove(world, 'alice', gone);
    const { db } = world.node('alice');
    for (let run = 0; run < 2; run++) world.runJob('alice', 'rekey_creation_job');
    const [old] = ofChannel(world.node('alice'));
    expect(old!.to_remove).toBeGreaterThan(0);
    // As if the disk had changed it.
    const fresh = 'key IN (SELECT n FROM group_key WHERE dirty_ms IS NULL)';
    db.exec(
      `UPDATE wrap SET sealed = zeroblob(48) WHERE ${fresh} AND of IN (SELECT of FROM wrap WHERE replaced = 1)`,
    );
    world.runJob('alice', 'delete_rekeyed_events_job');
    world.runJob('alice', 'purge_unused_keys_job', { grace_ms: 0 });
    world.runJob('alice', 'purge_unused_keys_job', { grace_ms: 0 });
    expect(world.node('alice').engine.pipeline.counters.get('erase:no_other_wrap_opens')).toBeGreaterThan(0);
    expect(ofChannel(world.node('alice'))[0]).toMatchObject({ key_id: old!.key_id, zeroed_ms: null });
    expect(
      world.node('alice').all('SELECT slot FROM group_key WHERE dirty_ms IS NOT NULL AND slot IS NULL'),
    ).toEqual([]);
  });

  it('is also one that was there before the key turned dirty', () => {
    const world = two();
    const gone = world.say('alice', 'goes');
    const stays = world.say('alice', 'stays');
    world.gather();
    const { db, engine } = world.node('alice');
    const [first] = ofChannel(world.node('alice'));
    // A second key, under which the other message is, too: as two sides make it that seal anew apart.
    db.exec(`UPDATE group_key SET events = ${limits.events_per_key_max} WHERE channel_id IS NOT NULL`);
    world.say('alice', 'makes a key');
    const second = ofChannel(world.node('alice')).find(({ key_id }) => key_id !== first!.key_id)!;
    db.exec('UPDATE group_key SET events = (SELECT count(*) FROM wrap w WHERE w.key = group_key.n)');
    db.exec('UPDATE group_key SET dirty_ms = 1 WHERE n = (SELECT key FROM wrap ORDER BY of LIMIT 1)');
    db.exec(`UPDATE group_key SET dirty_ms = 1 WHERE lower(hex(id)) = '${first!.key_id}'`);
    world.runJob('alice', 'rekey_creation_job');
    db.exec('UPDATE group_key SET dirty_ms = NULL');
    db.exec('UPDATE wrap SET replaced = 0');
    const keys = db
      .prepare(
        `SELECT count(*) AS n FROM wrap w JOIN event e ON e.n = w.of WHERE lower(hex(e.id)) = '${stays}'`,
      )
      .get();
    expect(keys).toEqual({ n: 2 });
    remove(world, 'alice', gone);
    for (let run = 0; run < 2; run++) world.forget('alice', 0);
    const after = ofChannel(world.node('alice'));
    expect(after.find(({ key_id }) => key_id === first!.key_id)!.zeroed_ms).not.toBeNull();
    expect(second.key_id).not.toBe(first!.key_id);
    expect(world.read('alice')).toEqual(['stays', 'makes a key']);
    expect(engine.pipeline.counters.get('erase:no_other_wrap_opens')).toBeUndefined();
  });

  it('E22: is made once of what is under two dirty keys: each of them names it, and neither waits for ever', () => {
    const world = two();
    const gone = world.say('alice', 'goes');
    world.say('alice', 'stays');
    world.gather();
    const { db, engine } = world.node('alice');
    const [first] = ofChannel(world.node('alice'));
    remove(world, 'alice', gone);
    world.runJob('alice', 'rekey_creation_job');
    world.runJob('alice', 'rekey_creation_job');
    const also_gone = world.say('alice', 'goes, too');
    // Two sides that sealed it anew apart have sent each other their wraps, and both keys turn dirty.
    db.exec('UPDATE wrap SET replaced = 0');
    remove(world, 'alice', also_gone);
    db.exec('UPDATE wrap SET replaced = 0');
    const dirty = ofChannel(world.node('alice')).filter(({ dirty_ms }) => dirty_ms !== null);
    expect(dirty).toHaveLength(2);
    expect(
      db.prepare('SELECT of FROM wrap WHERE sealed IS NOT NULL GROUP BY of HAVING count(*) > 1').all(),
    ).not.toEqual([]);
    for (let run = 0; run < 3; run++) world.forget('alice', 0);
    const after = ofChannel(world.node('alice')).filter(({ dirty_ms }) => dirty_ms !== null);
    expect(after.map(({ zeroed_ms }) => zeroed_ms === null)).toEqual([false, false]);
    expect(first!.key_id).toBe(after[0]!.key_id);
    expect(world.read('alice')).toEqual(['stays']);
    expect(engine.trace.read(10_000).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });
});

describe('S8: what lives for ten years', () => {
  it('can be deleted at once, by its author and by an admin, whose clock is behind', () => {
    const world = two();
    const longest = limits.ttl_ms_max;
    const [own, of_bob] = [
      world.say('alice', 'long', undefined, longest),
      world.say('bob', 'also long', undefined, longest),
    ];
    world.gather();
    world.clock.wall -= 9 * 60_000;
    for (const message_id of [own, of_bob])
      world.node('alice').engine.command('remove_message', 1, { message_id });
    world.clock.wall += 9 * 60_000;
    world.gather();
    for (const name of ['alice', 'bob']) expect(world.read(name)).toEqual([]);
  });

  it('is a message at the most: no other event without a target lives as long as a deletion may', () => {
    const world = two();
    const [message] = storedEvents(world.node('alice')).filter(({ type }) => type === 'channel');
    const header = decodeHeader(message!.header);
    const living = (lifetime_ms: number) =>
      encodeHeader({ ...header, expires_ms: header.created_ms + lifetime_ms });
    expect(decodeHeader(living(limits.ttl_ms_max)).expires_ms).toBe(header.created_ms + limits.ttl_ms_max);
    expect(() => decodeHeader(living(limits.ttl_ms_max + 1))).toThrow(/expires_ms/);
  });
});
