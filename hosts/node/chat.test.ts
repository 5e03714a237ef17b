/** Channels, groups and messages, as the facade of running nodes shows and changes them. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeFacade } from '../../api/facade.ts';
import { home, refusal, start, stop, temporaryFolder, until } from './nodes.testing.ts';

const texts = (node: NodeFacade, channel_ref: string) => {
  try {
    return node.read({ channel_ref, limit: 50 }).map(({ text }) => text);
  } catch {
    return [];
  }
};
const shown = (node: NodeFacade, channel_ref: string, ...expected: string[]) =>
  until(`${channel_ref} shows ${expected.join()}`, () => texts(node, channel_ref).join() === expected.join());

describe('private groups', () => {
  it('are listed beside the whole network, with channels of their own that only members see', async () => {
    const { alice, bob, carol } = await home('alice', 'bob', 'carol');
    const made = alice.createGroup({ name: 'team', user_refs: ['bob', 'alice'] });
    expect((await refusal(() => alice.createGroup({ name: 'team', user_refs: [] }))).code).toBe(
      'group_exists',
    );
    await alice.send({ channel_ref: 'team', text: 'just us', ttl_ms: 0 });
    await shown(bob, 'team', 'just us');
    expect(bob.groups({})).toMatchObject([
      { kind: 'main', name: null, members: ['alice', 'bob', 'carol'], channels: 1 },
      { group_id: made.group_id, kind: 'private', name: 'team', members: ['alice', 'bob'], channels: 1 },
    ]);
    expect(carol.groups({})).toHaveLength(1);
    // One name in two groups is no conflict, but no answer either.
    const plans = bob.createChannel({ name: 'plans', group_ref: 'team' });
    expect(plans.group_id).toBe(made.group_id);
    bob.createChannel({ name: 'plans' });
    expect((await refusal(() => bob.createChannel({ name: 'plans' }))).code).toBe('channel_exists');
    expect((await refusal(() => bob.createChannel({ name: 'plans', group_ref: 'team' }))).code).toBe(
      'channel_exists',
    );
    expect(
      (await refusal(() => bob.send({ channel_ref: 'plans', text: 'which?', ttl_ms: 0 }))).message,
    ).toMatch(/\(team\).*\(everyone\)|\(everyone\).*\(team\)/);
    await bob.send({ channel_ref: plans.channel_id.slice(12, 20), text: 'this one', ttl_ms: 0 });
    bob.renameChannel({ channel_ref: plans.channel_id, name: 'secret plans' });
    await shown(alice, 'secret plans', 'this one');
    expect(alice.channels({}).find(({ name }) => name === 'secret plans')).toMatchObject({
      group_kind: 'private',
      group_name: 'team',
      unread: 1,
    });

    expect((await refusal(() => alice.addToGroup({ group_ref: 'team', user_ref: 'bob' }))).code).toBe(
      'already_in_group',
    );
    alice.addToGroup({ group_ref: 'team', user_ref: 'carol' });
    await shown(carol, 'team', 'just us');
    expect(carol.members({ group_ref: 'team' }).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['alice', 'bob', 'carol']),
    );
    // Bob, too, has heard that she came, or he could not tell that she goes.
    await until('carol is in', () => bob.groups({})[1]?.members.includes('carol') === true);
    alice.removeFromGroup({ group_ref: made.group_id.slice(12, 20), user_ref: 'carol' });
    await until('carol is out', () => !bob.groups({})[1]?.members.includes('carol'));
    expect(bob.members({ group_ref: 'team' }).find(({ name }) => name === 'carol')?.state).toBe('removed');
    expect(bob.members({}).find(({ name }) => name === 'carol')?.state).toBe('member');
    expect((await refusal(() => alice.addToGroup({ group_ref: 'team', user_ref: 'carol' }))).code).toBe(
      'already_removed',
    );
    expect((await refusal(() => alice.removeFromGroup({ group_ref: 'team', user_ref: 'carol' }))).code).toBe(
      'not_found',
    );
    // The keys of all that, by what people call it.
    expect(new Set(alice.keys({}).map((key) => [key.group_name, key.channel_name].join()))).toEqual(
      new Set([',', 'team,', 'team,team', 'team,secret plans']),
    );
    expect(alice.keys({}).every(({ held }) => held)).toBe(true);
    const mains = alice.keys({}).filter(({ group_kind }) => group_kind === 'main');
    expect(new Set(mains.map(({ group_id }) => group_id))).toEqual(
      new Set([alice.status().networks[0]?.network_id]),
    );
    expect(new Set(alice.keys({}).map(({ group_kind }) => group_kind))).toEqual(new Set(['main', 'private']));
    expect(new Set(alice.prekeys({}).map(({ user_name }) => user_name))).toEqual(
      new Set(['alice', 'bob', 'carol']),
    );
  });

  it('L8: tell whom they are rid of, at once or when they come back, so that nothing is compared for ever', async () => {
    const { facade: alice } = await start();
    alice.createNetwork({ name: 'Home', as: 'alice' });
    const bobs = await start();
    const data_dir = join(temporaryFolder(), 'carol');
    const carols = await start({ data_dir });
    for (const [{ facade }, as] of [
      [bobs, 'bob'],
      [carols, 'carol'],
    ] as const) {
      const { link } = alice.createInvite({ uses: 1, ttl_ms: 3_600_000 });
      await facade.join({ link, as, timeout_ms: 20_000 });
    }
    await until('all names have come', () => alice.members({}).every(({ name }) => name !== null));
    alice.createGroup({ name: 'team', user_refs: ['bob', 'carol'] });
    const isIn = (node: NodeFacade) => node.groups({}).some(({ name }) => name === 'team');
    await until('both are in', () => isIn(bobs.facade) && isIn(carols.facade));

    alice.removeFromGroup({ group_ref: 'team', user_ref: 'bob' });
    await until('bob hears of it', () => !isIn(bobs.facade));

    await stop(carols);
    alice.removeFromGroup({ group_ref: 'team', user_ref: 'carol' });
    const again = await start({ data_dir });
    await until('carol hears of it', () => !isIn(again.facade));
    for (const { facade } of [bobs, again]) {
      const late = { channel_ref: 'team', text: 'still there?', ttl_ms: 0 };
      expect((await refusal(() => facade.send(late))).code).toBe('removed');
      expect((await refusal(() => facade.addToGroup({ group_ref: 'team', user_ref: 'alice' }))).code).toBe(
        'not_found',
      );
    }
  });
});

describe('direct messages', () => {
  it('stand under the name of the other, and two conversations begun at once are one', async () => {
    const { alice, bob, carol } = await home('alice', 'bob', 'carol');
    expect((await refusal(() => alice.read({ channel_ref: '@bob', limit: 5 }))).code).toBe('not_found');
    // Nobody else's channel passes for it.
    carol.createChannel({ name: '@bob' });
    await until('it has come', () => alice.channels({}).some(({ name }) => name === '@bob'));
    expect((await refusal(() => alice.read({ channel_ref: '@bob', limit: 5 }))).code).toBe('not_found');

    // Before either has heard of the other's group.
    await alice.dm({ user_ref: 'bob', text: 'one', ttl_ms: 0 });
    await bob.send({ channel_ref: '@alice', text: 'two', ttl_ms: 0 });
    await shown(alice, '@bob', 'one', 'two');
    await shown(bob, '@alice', 'one', 'two');
    const direct = (node: NodeFacade) =>
      node.channels({}).filter(({ group_kind }) => group_kind === 'direct');
    expect(direct(alice)).toMatchObject([{ name: '@bob', group_name: null, messages: 2, unread: 1 }]);
    expect(direct(bob)).toMatchObject([{ name: '@alice', messages: 2, unread: 1 }]);
    const answers = [
      await alice.dm({ user_ref: '@bob', text: 'three', ttl_ms: 60_000 }),
      await bob.dm({ user_ref: 'alice', text: 'four', ttl_ms: 0 }),
    ];
    expect(answers[0]?.channel_id).toBe(answers[1]?.channel_id);
    expect(answers[0]?.expires_ms).toBeGreaterThan(Date.now());
    await until('both have all', () =>
      [texts(alice, '@bob'), texts(bob, '@alice')].every(({ length }) => length === 4),
    );
    expect(alice.read({ channel_ref: '@bob', limit: 2 }).map(({ text }) => text)).toEqual(
      texts(bob, '@alice').slice(2),
    );
    expect(texts(carol, '@alice')).toEqual([]);

    const unread = () => alice.unread({}).filter(({ unread }) => unread > 0);
    expect(unread()).toMatchObject([{ name: '@bob', unread: 2, read_until_ms: null }]);
    const [first] = alice.read({ channel_ref: '@bob', limit: 50 }).filter(({ author }) => author === 'bob');
    alice.markRead({ channel_ref: '@bob', read_until_ms: first!.created_ms });
    expect(unread()).toMatchObject([{ name: '@bob', unread: 1 }]);
    alice.markRead({ channel_ref: '@bob' });
    expect(unread()).toEqual([]);

    expect((await refusal(() => alice.dm({ user_ref: 'alice', text: 'to myself', ttl_ms: 0 }))).code).toBe(
      'bad_input',
    );
    expect((await refusal(() => alice.renameChannel({ channel_ref: '@bob', name: 'x' }))).code).toBe(
      'is_direct',
    );
  });
});

describe('what was read', () => {
  it('is only what was shown: nothing, as long as older unread messages are not', async () => {
    const { alice, bob } = await home('alice', 'bob');
    for (const text of ['one', 'two', 'three']) bob.send({ channel_ref: 'general', text, ttl_ms: 0 });
    alice.send({ channel_ref: 'general', text: 'mine', ttl_ms: 0 });
    await until('alice has all', () => texts(alice, 'general').length === 4);
    const unread = () => alice.unread({}).find(({ name }) => name === 'general')?.unread;
    /** As the command line does it. */
    const read = (limit: number) => {
      const shown = alice.read({ channel_ref: 'general', limit });
      return alice.markRead({
        channel_ref: 'general',
        read_until_ms: shown.at(-1)?.created_ms,
        shown_from: shown[0]?.message_id,
      }).older_unread;
    };
    expect([read(1), unread()]).toEqual([3, 3]);
    expect([read(3), unread()]).toEqual([1, 3]);
    expect([read(4), unread()]).toEqual([0, 0]);
    bob.send({ channel_ref: 'general', text: 'four', ttl_ms: 0 });
    await until('alice has it', () => unread() === 1);
    // What was read before need not be shown again.
    expect([read(1), unread()]).toEqual([0, 0]);
  });
});

describe('messages', () => {
  it('are edited, and say which versions they had; and why they are no more', async () => {
    const { alice, bob } = await home('alice', 'bob');
    const { message_id } = await alice.send({ channel_ref: '#general', text: 'tpyo', ttl_ms: 0 });
    const ref = message_id.slice(12, 20);
    const { edit_id } = alice.edit({ message_ref: ref, text: 'typo' });
    await shown(bob, 'general', 'typo');
    expect(bob.read({ channel_ref: 'general', limit: 1 })).toMatchObject([
      { message_id, author: 'alice', edited_ms: expect.any(Number), expires_ms: null },
    ]);
    expect(bob.versions({ message_ref: ref })).toMatchObject([
      { version_id: message_id, author: 'alice' },
      { version_id: edit_id, author: 'alice' },
    ]);
    expect((await refusal(() => bob.edit({ message_ref: ref, text: 'not mine' }))).code).toBe(
      'author_may_edit',
    );
    expect((await refusal(() => bob.delete({ message_ref: ref }))).code).toBe('author_may_delete');
    bob.react({ message_ref: ref, emoji: '👍' });
    await until(
      'it is counted',
      () => alice.read({ channel_ref: 'general', limit: 1 })[0]?.reactions[0]?.count === 1,
    );
    expect(alice.why({ event_ref: ref })).toMatchObject({
      event_id: message_id,
      type: 'message',
      author: 'alice',
      standing: 'valid',
      rule: null,
      waits_for: [],
    });
    expect(Math.abs(alice.why({ event_ref: ref }).created_ms - Date.now())).toBeLessThan(60_000);
    alice.delete({ message_ref: ref });
    await shown(bob, 'general');
    expect(bob.why({ event_ref: ref })).toMatchObject({ standing: 'dead', rule: 'deleted', author: 'alice' });
    expect((await refusal(() => bob.why({ event_ref: 'ffffffffffff' }))).code).toBe('not_found');
  });
});
