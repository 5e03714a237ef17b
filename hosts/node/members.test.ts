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
    expect((await refusal(() => bob.createInvite({ uses: 1, ttl_ms: 60_000 }))).code).toBe('not_entitled');
    alice.grant({ right: 'invite', user_ref: 'bob' });
    await until('bob has it', () => bob.whoami({})[0]?.rights.join() === 'invite');
    bob.createInvite({ uses: 1, ttl_ms: 60_000 });
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
    carol.leave({});
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
    expect(alice.grant({ right: 'delete', user_ref: 'bob' }).user_id).toBe(id(bob));
  });
});
