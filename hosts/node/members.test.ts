/** Networks, members, rights and devices, as the facade of running nodes shows and changes them. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesWith, home, refusal, start, temporaryFolder, until } from './nodes.testing.ts';

describe('getting in', () => {
  it('a person joins by a link and a name, a second device by a link alone', async () => {
    const { alice, bob } = await home('alice', 'bob');
    expect(alice.members({})).toEqual([
      expect.objectContaining({
        name: 'alice',
        rights: ['admin', 'invite', 'delete'],
        is_me: true,
        state: 'member',
      }),
      expect.objectContaining({ name: 'bob', rights: [], is_me: false, devices: 1 }),
    ]);
    const bobs_link = bob.linkDevice({ ttl_ms: 600_000 });
    expect(bobs_link.link).toMatch(/^sotto:\/\/link\//);
    const { facade: phone } = await start();
    const named = { link: bobs_link.link, as: 'phone', timeout_ms: 0 };
    expect((await refusal(() => phone.join(named))).code).toBe('bad_input');
    const joined = await phone.join({ link: bobs_link.link, timeout_ms: 20_000 });
    expect(joined.user_id).toBe(bob.whoami({})[0]?.user_id);
    await until('the phone knows its name', () => phone.whoami({})[0]?.user_name === 'bob');
    expect(phone.whoami({})).toMatchObject([{ network_name: 'Home', rights: [], state: 'member' }]);
    expect(phone.devices({}).filter(({ is_this_device }) => is_this_device)).toMatchObject([
      { device_id: joined.device_id, user_name: 'bob', state: 'member' },
    ]);
    await until('alice sees both', () => alice.members({}).some(({ devices }) => devices === 2));
    expect(alice.invites({}).map(({ kind, made_by, state }) => [kind, made_by, state])).toEqual([
      ['device', 'bob', 'used_up'],
      ['person', 'alice', 'used_up'],
    ]);
    // The first one named is the one that goes on.
    alice.removeDevice({ device_ref: joined.device_id.slice(0, 12) });
    expect((await refusal(() => alice.removeDevice({ device_ref: joined.device_id }))).code).toBe(
      'already_removed',
    );
    await until('the phone is out', () =>
      bob.devices({}).some((row) => row.device_id === joined.device_id && row.state === 'removed'),
    );
    expect(bob.members({}).find(({ name }) => name === 'bob')).toMatchObject({ devices: 1, state: 'member' });
  });

  it('a name is neither asked for late nor stored while nobody has let us in', async () => {
    const { alice } = await home('alice');
    const { facade: bob } = await start();
    const { link } = alice.createInvite({ uses: 2, ttl_ms: 60_000 });
    expect(await refusal(() => bob.join({ link, timeout_ms: 0 }))).toMatchObject({
      code: 'bad_input',
      message: expect.stringContaining('--as'),
    });
    expect((await refusal(() => bob.join({ link, as: ' ', timeout_ms: 0 }))).code).toBe('bad_input');
    expect(bob.status().networks).toEqual([]);
    // A request that gives up does not end the join, and a second one goes on with it.
    expect((await refusal(() => bob.join({ link, as: 'bob', timeout_ms: 0 }))).code).toBe('join_timeout');
    await bob.join({ link, as: 'bob', timeout_ms: 20_000 });
    expect(bob.status().networks).toHaveLength(1);
    expect(bob.whoami({})).toMatchObject([{ user_name: 'bob' }]);
    expect((await refusal(() => bob.join({ link, as: 'bob', timeout_ms: 0 }))).code).toBe('already_joined');
  });

  it('an invite that was taken back lets nobody in', async () => {
    const { alice } = await home('alice');
    const { link, invite_id } = alice.createInvite({ uses: 1, ttl_ms: 60_000 });
    expect(alice.invites({})).toMatchObject([{ invite_id, state: 'open', used: 0 }]);
    alice.revokeInvite({ invite_ref: invite_id.slice(12, 20) });
    expect(alice.invites({})).toMatchObject([{ invite_id, state: 'revoked' }]);
    const data_dir = join(temporaryFolder(), 'node');
    const { facade: bob } = await start({ data_dir });
    const asked = { link, as: 'Rumpelstiltskin', timeout_ms: 1_500 };
    expect((await refusal(() => bob.join(asked))).code).toBe('join_timeout');
    // There is no key yet under which the name could be stored.
    expect(filesWith(data_dir, Buffer.from('Rumpelstiltskin'))).toEqual([]);
    expect(bob.whoami({})).toMatchObject([{ state: 'not_yet_let_in', user_name: null }]);
    expect(alice.members({})).toHaveLength(1);
  });
});

describe('rights and removal', () => {
  it('rights are given and taken by name; without them it is refused', async () => {
    const { alice, bob } = await home('alice', 'bob');
    const refused = await refusal(() => bob.createInvite({ uses: 1, ttl_ms: 60_000 }));
    expect([refused.code, refused.message]).toEqual([
      'not_entitled',
      "This needs the right 'invite' (or 'admin'); an admin can grant it.",
    ]);
    expect((await refusal(() => bob.grant({ right: 'invite', user_ref: 'bob' }))).message).toBe(
      "This needs the right 'admin'; an admin can grant it.",
    );
    alice.grant({ right: 'invite', user_ref: 'bob' });
    await until('bob has it', () => bob.whoami({})[0]?.rights.join() === 'invite');
    bob.createInvite({ uses: 1, ttl_ms: 60_000 });
    // Once is enough; and the founder has all of them.
    const events = () => alice.status().networks[0]?.events;
    const before = events();
    for (const [right, user_ref] of [
      ['invite', 'bob'],
      ['admin', 'alice'],
    ] as const)
      expect((await refusal(() => alice.grant({ right, user_ref }))).code).toBe('has_right');
    expect(events()).toBe(before);
    const { user_id } = alice.revoke({ right: 'invite', user_ref: 'bob' });
    expect(user_id).toBe(bob.whoami({})[0]?.user_id);
    await until('bob has lost it', () => bob.whoami({})[0]?.rights.length === 0);
    expect((await refusal(() => bob.grant({ right: 'admin', user_ref: 'bob' }))).code).toBe('not_entitled');
    expect((await refusal(() => alice.grant({ right: 'admin', user_ref: 'zoe' }))).code).toBe('not_found');
  });

  it('a removed user is shown as such; one who leaves, too; and their network can be erased', async () => {
    const { alice, bob, carol } = await home('alice', 'bob', 'carol');
    expect(alice.removeUser({ user_ref: 'bob' })).toMatchObject({ devices: 1 });
    expect((await refusal(() => alice.removeUser({ user_ref: 'bob' }))).code).toBe('already_removed');
    carol.leave({ force: false });
    expect(carol.whoami({})).toMatchObject([{ state: 'removed', rights: [] }]);
    await until(
      'alice is alone',
      () => alice.members({}).filter(({ state }) => state === 'member').length === 1,
    );
    expect(alice.members({}).map(({ name, state }) => [name, state])).toEqual(
      expect.arrayContaining([
        ['bob', 'removed'],
        ['carol', 'removed'],
      ]),
    );
    const founded = carol.createNetwork({ name: 'Carols', as: 'carol' });
    // A network that one has left is no choice, unless it is named.
    expect(carol.channels({})).toMatchObject([{ channel_id: founded.channel_id }]);
    expect((await refusal(() => carol.deleteNetwork({}))).code).toBe('bad_input');
    expect(carol.deleteNetwork({ network: 'Home' })).toMatchObject({ events: expect.any(Number) });
    expect(carol.status().networks.map(({ name }) => name)).toEqual(['Carols']);
    expect(bob.status().networks.map(({ name }) => name)).toEqual(['Home']);
  });

  it('who was removed, or has left, can do nothing more there, and is told so', async () => {
    const { alice, bob } = await home('alice', 'bob');
    const { channel_id } = alice.channels({})[0] ?? { channel_id: '' };
    alice.grant({ right: 'admin', user_ref: 'bob' });
    await until('bob has it', () => bob.whoami({})[0]?.rights.includes('admin') === true);
    bob.leave({ force: false });
    const bobs_id = bob.whoami({})[0]?.user_id ?? '';
    const tries: (() => unknown)[] = [
      () => bob.leave({ force: false }),
      () => bob.grant({ right: 'invite', user_ref: 'alice' }),
      () => bob.revoke({ right: 'admin', user_ref: bobs_id }),
      () => bob.createInvite({ uses: 1, ttl_ms: 60_000 }),
      () => bob.linkDevice({ ttl_ms: 60_000 }),
      () => bob.createGroup({ name: 'mine', user_refs: ['alice'] }),
      () => bob.createChannel({ name: 'mine' }),
      () => bob.dm({ user_ref: 'alice', text: 'psst', ttl_ms: 0 }),
      () => bob.send({ channel_ref: 'general', text: 'still here?', ttl_ms: 0 }),
      () => bob.removeUser({ user_ref: 'alice' }),
      () => bob.removeDevice({ device_ref: alice.whoami({})[0]?.device_id ?? '' }),
      () => bob.renameMe({ name: 'robert' }),
      () => bob.command('grant_right', { user_id: alice.whoami({})[0]?.user_id ?? '', right: 'invite' }, {}),
    ];
    for (const one of tries) expect((await refusal(one)).code).toBe('removed');
    // What is here can be read, and marked as read, and erased.
    expect(bob.read({ channel_ref: 'general', limit: 5 })).toEqual([]);
    bob.markRead({ channel_ref: 'general' });
    expect(bob.deleteNetwork({ network: 'Home' })).toMatchObject({ events: expect.any(Number) });
    expect(channel_id).not.toBe('');
    expect(alice.members({}).find(({ is_me }) => is_me)).toMatchObject({ state: 'member', devices: 1 });
  });

  it('a founder who was removed by an admin removes that one in answer, and is in again', async () => {
    const { alice, bob } = await home('alice', 'bob');
    alice.grant({ right: 'admin', user_ref: 'bob' });
    await until('bob has it', () => bob.whoami({})[0]?.rights.includes('admin') === true);
    bob.removeUser({ user_ref: 'alice' });
    await until('alice knows', () => alice.whoami({})[0]?.state === 'removed');
    expect((await refusal(() => alice.grant({ right: 'invite', user_ref: 'bob' }))).code).toBe('removed');
    alice.removeUser({ user_ref: 'bob' });
    expect(alice.whoami({})[0]?.state).toBe('member');
    alice.send({ channel_ref: 'general', text: 'back', ttl_ms: 0 });
  });

  it('nobody removes themselves by a slip, and the last admin does not go without saying so twice', async () => {
    const { alice, bob } = await home('alice', 'bob');
    const { device_id, user_id } = alice.whoami({})[0] ?? { device_id: '', user_id: '' };
    const slip = await refusal(() => alice.removeDevice({ device_ref: device_id }));
    expect([slip.code, slip.message]).toEqual(['yourself', expect.stringContaining('sotto leave')]);
    expect((await refusal(() => alice.removeUser({ user_ref: user_id ?? '' }))).code).toBe('yourself');
    const last = await refusal(() => alice.leave({ force: false }));
    expect([last.code, last.message]).toEqual(['last_admin', expect.stringContaining('sotto grant admin')]);
    expect(alice.whoami({})[0]?.state).toBe('member');
    alice.grant({ right: 'admin', user_ref: 'bob' });
    alice.leave({ force: false });
    expect(alice.whoami({})[0]?.state).toBe('removed');
    await until('bob is alone', () =>
      bob.members({}).some((row) => row.name === 'alice' && row.state === 'removed'),
    );
    // Nobody is left whom it would concern.
    bob.leave({ force: false });
    const { carol, dave } = await home('carol', 'dave');
    carol.leave({ force: true });
    await until('dave knows', () =>
      dave.members({}).some((row) => row.name === 'carol' && row.state === 'removed'),
    );
  });

  it('people of one name are told apart by their ids, and nobody passes for another by a name', async () => {
    const { alice, bob, carol } = await home('alice', 'bob', 'carol');
    const id = (of: typeof bob) => of.whoami({})[0]?.user_id ?? '';
    carol.renameMe({ name: 'bob' });
    await until('two bobs', () => alice.members({}).filter(({ name }) => name === 'bob').length === 2);
    const two = await refusal(() => alice.grant({ right: 'invite', user_ref: 'bob' }));
    expect(two.code).toBe('ambiguous');
    for (const of of [bob, carol]) expect(two.message).toContain(id(of).slice(12, 20));
    expect(alice.grant({ right: 'invite', user_ref: id(bob).slice(12, 20) }).user_id).toBe(id(bob));
    const bobs_short_id = id(bob).slice(12, 20);
    carol.renameMe({ name: bobs_short_id });
    await until('carol calls herself so', () => alice.members({}).some(({ name }) => name === bobs_short_id));
    expect((await refusal(() => alice.grant({ right: 'admin', user_ref: bobs_short_id }))).code).toBe(
      'ambiguous',
    );
    expect(alice.grant({ right: 'delete', user_ref: id(bob) }).user_id).toBe(id(bob));
    expect(alice.grant({ right: 'admin', user_ref: 'bob' }).user_id).toBe(id(bob));
  });
});
