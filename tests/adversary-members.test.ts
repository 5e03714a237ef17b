/**
 * Mallory is a member, an accomplice, or nobody: she uses links twice and stolen keys, brings what the removed have written, tells each something
 * else, and listens for what is not hers. Alice's node runs in a process of its own; Bob is an honest member.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../core/body-codec.ts';
import type { Id } from '../core/fields.ts';
import { decodeFrame, encodeEventItem, encodeFrame, encodeHeaderItem } from '../core/frame-codec.ts';
import { decodeHeader } from '../core/header-codec.ts';
import { encodeInviteLink } from '../hosts/invite-link.ts';
import { dial, Peer, SECONDS_MS, strangeSigner } from './adversary.ts';
import { allIsWell, guest, home, type Owner, owner, tearDown } from './adversary-home.ts';
import { forge, forgeSealed, headerBy, plaintextOf, signerOf, typeNamed } from './hostile.ts';
import { until } from './process.ts';
import { storedEvents } from './support.ts';
import { World } from './world.ts';

afterEach(tearDown);

describe('who was removed', () => {
  it('F11, S12: a stolen key opens no session any more, and what is written with it afterwards counts nowhere', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const { peer: eve } = await guest(alice, 'eve');
    const old = [eve.say('honest, first'), eve.say('honest, second')];
    await alice.shows('honest, second');
    await mallory.reads('honest, second');
    eve.leave();
    const stolen = eve.signer;
    const as_eve = await dial(alice.whom, stolen);
    await alice.process.ask('DELETE', '/members/eve');
    await until('the session of the thief ends', () => as_eve.closed !== null);
    expect(alice.process.output).toContain('"reason":"removed"');
    const again = await dial(alice.whom, stolen);
    again.say(eve.message('let me in').item);
    await until('no other begins', () => again.closed !== null);
    // The removal itself, of which its owner may learn, with what that rests on: how its author became a member. And nothing else.
    const farewell = again.heard.flatMap((frame) => decodeFrame(frame));
    const told = farewell.map((item) =>
      item.item === 'event' ? decodeHeader(item.raw.header).type : item.item,
    );
    expect(told[0]).toBe('remove');
    expect(told.slice(1).toSorted()).toEqual(['admit', 'invite', 'peer', 'peer', 'user', 'user']);

    // Mallory brings what the thief signs: before the end of Eve's chain, beside it, and behind it.
    const last = decodeHeader(eve.event(old[1]!).header);
    const first = decodeHeader(eve.event(old[0]!).header);
    const key = mallory.key();
    const forged = [
      { seq: first.seq, prev: first.prev, created_ms: first.created_ms },
      { seq: 2, prev: null, created_ms: first.created_ms - 60_000 },
      { seq: last.seq, prev: last.prev, created_ms: last.created_ms - 1 },
      { seq: last.seq + 1, prev: old[1]!, created_ms: last.created_ms },
      { seq: last.seq + 2, prev: old[1]!, created_ms: Date.now() },
      { seq: 1_000_000, prev: null, created_ms: Date.now() },
    ].map((place, at) =>
      forgeSealed(
        headerBy(stolen, mallory.network_id, { group_id: mallory.network_id, ...place }),
        plaintextOf('message', { channel_id: mallory.channel('general'), text: `from a thief ${at}` }),
        stolen,
        key,
      ),
    );
    await until('Mallory has heard of the removal', () => {
      mallory.sync();
      return mallory.events('remove').length > 0;
    });
    line.say(...forged.map(({ item }) => item));
    await alice.counts('blocked:author_removed', forged.length);
    for (const { event_id } of forged) expect(await alice.standing(event_id)).toBe('waiting: author_removed');
    // Nor do headers of hers prove that they are part of the chain.
    line.say(...forged.map(({ raw }) => encodeHeaderItem(raw.header, raw.signature)));
    await alice.counts('duplicate', forged.length);
    expect(await alice.read()).toEqual(['welcome', 'honest, first', 'honest, second']);
    await bob.reads('honest, second');
    expect(bob.read()).toEqual(['welcome', 'honest, first', 'honest, second']);
    await allIsWell(all);
  });

  it("F11, S12: the thief of an admin's phone removes nobody once its owner has removed the phone", async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    await alice.post('/grants', { right: 'admin', user: 'bob' });
    const phone = new Peer('phone');
    const { link } = await linkOf(bob, alice);
    await phone.join(link, alice.whom);
    await until('the phone knows what Bob may, and Bob that it is his', () => {
      phone.sync();
      bob.sync();
      return phone.events('grant').length > 0 && bob.userOf(phone.device_id) === bob.user_id;
    });
    phone.leave();
    const [removal] = bob.run('remove_device', { device_id: phone.device_id });
    await until('Alice has heard of it', async () => (await alice.standing(removal as Id)) === 'valid');
    expect(bob.node.query('is_removed_device', { device_id: phone.device_id })).toHaveLength(1);
    // The thief has heard nothing; and says it in every way: at the end of the chain, beside it, before it, long ago.
    const [said] = phone.run('remove_user', { user_id: mallory.user_id, group_id: null });
    const { header, body } = phone.event(said as Id);
    const honest = decodeHeader(header);
    const forged = [
      { seq: honest.seq - 1, prev: decodeHeader(phone.event(honest.prev as Id).header).prev },
      { seq: 1, prev: null, created_ms: honest.created_ms - 3_600_000 },
      { seq: 1_000_000, prev: honest.prev, created_ms: honest.created_ms - 60_000 },
    ].map((place) =>
      forge(
        headerBy(phone.signer, mallory.network_id, { ...honest, ...place }),
        body as Uint8Array,
        phone.signer,
      ),
    );
    line.say(encodeEventItem(phone.event(said as Id)), ...forged.map(({ item }) => item));
    for (const event_id of [said as Id, ...forged.map((one) => one.event_id)])
      await until('it has come', async () => (await alice.standing(event_id)) !== 'unknown');
    bob.sync();
    for (const name of ['mallory', 'bob'])
      expect(await alice.get('/members')).toContainEqual(expect.objectContaining({ name, state: 'member' }));
    expect(line.closed).toBe(null);
    mallory.say('I am still here');
    await alice.shows('I am still here');
    await allIsWell(all);
  });

  it('whoever wrote two histories can be removed as anybody', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const beside = mallory.message('beside my chain');
    line.say(beside.item);
    await alice.shows('beside my chain');
    await alice.process.ask('DELETE', '/members/mallory');
    await until('her session ends', () => line.closed !== null);
    expect(await alice.get('/members')).toContainEqual(
      expect.objectContaining({ user_id: mallory.user_id, state: 'removed' }),
    );
    await allIsWell(all);
  });

  it("S12: a member of a private group removes nobody from it because of a removal of another's device", async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const made = await alice.post<{ group_id: Id; channel_id: Id }>('/groups', {
      name: 'plans',
      users: ['bob', 'mallory'],
    });
    await alice.say('shall we?', 'plans');
    await bob.reads('shall we?', made.channel_id);
    await mallory.reads('shall we?', made.channel_id);
    bob.say('we shall', made.channel_id);
    await alice.shows('we shall', 'plans');
    // Bob lost a phone, and Alice removed it.
    const phone = new Peer('phone');
    const { link } = await linkOf(bob, alice);
    await phone.join(link, alice.whom);
    phone.leave();
    await alice.process.ask('DELETE', `/devices/${phone.device_id}`);
    await until('Mallory has heard of it', () => {
      mallory.sync();
      return mallory.events('remove').length > 0;
    });
    const because_id = mallory
      .events('remove')
      .find(({ header }) => decodeHeader(header).group_id === null)!.event_id;
    const removal = mallory.inClear(
      'remove',
      {
        user_id: bob.user_id,
        whole_user: true,
        device_ids: [],
        head_seqs: [],
        head_ids: [],
        basis_id: null,
        because_id,
        known_ids: [],
      },
      { group_id: made.group_id },
    );
    line.say(removal.item);
    await until('it has come', async () => (await alice.standing(removal.event_id)) !== 'unknown');
    expect(await alice.read('plans')).toEqual(['shall we?', 'we shall']);
    bob.say('still here', made.channel_id);
    await alice.shows('still here', 'plans');
    await allIsWell(all);
  });

  it('S5: a header that Mallory brings first does not keep the words of the removed from who has not heard them', () => {
    const world = new World({ seed: 3 });
    world.found('alice');
    for (const name of ['bob', 'eve', 'mallory']) world.join('alice', name);
    world.gather();
    const said = ['one', 'two', 'three'].map((text) => world.say('eve', text));
    world.gather(['alice', 'eve', 'mallory']);
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.meet('alice', 'mallory');
    const stored = storedEvents(world.node('mallory'));
    const removal = stored.find(({ type }) => type === 'remove')!;
    const headers = said.toReversed().map((event_id) => {
      const { header, signature } = stored.find((event) => event.event_id === event_id)!;
      return encodeHeaderItem(header, signature);
    });
    const session = { session_id: 's', device_id: world.device('mallory') };
    for (const item of [encodeEventItem(removal), ...headers])
      world.node('bob').engine.receive(1, session, encodeFrame([item]));
    world.gather(['alice', 'bob']);
    expect(world.read('alice')).toEqual(['one', 'two', 'three']);
    expect(world.read('bob')).toEqual(['one', 'two', 'three']);
  });

  it('F11: a thief who writes before the removal does not take the words of the owner with him', () => {
    const world = new World({ seed: 4 });
    world.found('alice');
    for (const name of ['bob', 'eve']) world.join('alice', name);
    world.gather();
    world.say('eve', 'honest');
    world.gather();
    const thief = signerOf(world.node('eve'));
    const header = headerBy(thief, world.network_id, {
      type: 'address',
      seq: Number.MAX_SAFE_INTEGER,
      created_ms: world.clock.wall,
    });
    const { item } = forge(header, encodeBody(typeNamed('address'), { address: 'thief.example:1' }), thief);
    const session = { session_id: 's', device_id: world.device('bob') };
    world.node('alice').engine.receive(1, session, encodeFrame([item]));
    world.node('alice').engine.command('remove_user', 1, { user_id: world.userOf('eve'), group_id: null });
    world.gather(['alice', 'bob']);
    expect([world.read('alice'), world.read('bob')]).toEqual([['honest'], ['honest']]);
  });
});

/** A link for another device of a peer's user, as its node would print it. */
async function linkOf(peer: Peer, at: Owner): Promise<{ link: string }> {
  const made = peer.node.engine.command('create_device_link', 1, { ttl_ms: 3_600_000 });
  peer.sync();
  const invite_id = made.event_ids.at(-1) ?? '';
  await until('it is known', async () => (await at.standing(invite_id)) === 'valid');
  return {
    link: encodeInviteLink({
      network_id: peer.network_id,
      invite_id,
      secret: made.reply.secret as Uint8Array,
      device_id: at.whom.device_id,
      addresses: [at.whom.listen],
      user_id: peer.user_id,
    }),
  };
}

describe('who is told what', () => {
  it('F24: two histories told to two end as one on both, and show as a fork', async () => {
    const all = await home();
    const { alice, mallory } = all;
    const carol = await owner('carol');
    await carol.join(await alice.invite());
    mallory.leave();
    const to_alice = await dial(alice.whom, mallory.signer);
    const to_carol = await dial(carol.whom, mallory.signer);
    const place = { seq: 500, prev: null };
    const [left, right] = ['yes', 'no'].map((text) => mallory.message(`I said ${text}`, place));
    to_alice.say(left!.item);
    to_carol.say(right!.item);
    const both = async (node: Owner) =>
      (await node.read()).filter((text) => text.startsWith('I said')).sort();
    for (const node of [alice, carol])
      await until(`${node.name} has both`, async () => (await both(node)).length === 2);
    const forks = { device_id: mallory.device_id, seq: 500, events: 2 };
    for (const node of [alice, carol]) {
      expect(await node.query('get_forks')).toEqual([forks]);
      expect(await both(node)).toEqual(['I said no', 'I said yes']);
    }
    const messages = async (node: Owner) =>
      // Where one's own are is for oneself to know.
      (await node.get<Record<string, unknown>[]>('/messages?channel=general')).map(
        ({ delivery: _, ...message }) => message,
      );
    expect(await messages(carol)).toEqual(await messages(alice));
    const events = async (node: Owner) => (await node.status()).networks[0]!.events;
    await until('both have as much', async () => (await events(alice)) === (await events(carol)), SECONDS_MS);
    await allIsWell(all);
    await carol.isWell();
  });

  it('S18: a member of one network learns nothing of another on the same node', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const select = { network: 'Secret' };
    const second = await alice.post<{ network_id: Id; device_id: Id; user_id: Id; channel_id: Id }>(
      '/networks',
      {
        name: 'Secret',
        as: 'alias',
      },
    );
    const told = async (word: string) => {
      const before = line.heard.length;
      await alice.say(word);
      await mallory.reads(word);
      mallory.sync();
      await until('Alice asks for news', () => progressIn(line.heard.slice(before)).length > 0);
      return progressIn(line.heard.slice(before)).at(-1)!;
    };
    const quiet = [await told('first'), await told('second')];
    const secrets: Id[] = [];
    for (let said = 0; said < 20; said++) {
      const { message_id } = await alice.post<{ message_id: Id }>('/messages', {
        channel: 'general',
        text: `of another life ${said}`,
        ...select,
      });
      secrets.push(message_id);
    }
    // She knows more than she could, and asks for it in the network that she is in.
    line.say(mallory.asking([...secrets, second.network_id]));
    line.say(mallory.message('to the other network', { network_id: second.network_id }).item);
    await alice.counts('rejected:other_network');
    // With the other network's id she is let in as far as a stranger: to be refused.
    const stranger = await dial({ ...alice.whom, ...second }, strangeSigner());
    const { header } = mallory.event(mallory.events('network')[0]!.event_id);
    stranger.say(mallory.asking(secrets), encodeHeaderItem(header, new Uint8Array(64)));
    await until('she is refused', () => transientsIn(stranger.heard).includes('sync_refused'));
    expect(new Set(transientsIn(stranger.heard))).toEqual(new Set(['sync_refused']));
    const to_stranger = stranger.heard.map((frame) => frame.toHex()).join();
    for (const id of secrets) expect(to_stranger).not.toContain(id);
    // Not the device of the other identity, not by any device's key that she has.
    await expect(dial({ ...alice.whom, device_id: second.device_id }, mallory.signer)).rejects.toThrow();
    const url = `http://${alice.process.api}/v1/queries/get_messages`;
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);

    const heard = line.heard.map((frame) => frame.toHex()).join();
    for (const id of [second.network_id, second.device_id, second.user_id, second.channel_id, ...secrets])
      expect(heard).not.toContain(id);
    await allIsWell(all);
    // The numbers that she is told do not count what happens elsewhere.
    const busy = (await told('third')) - quiet[1]!;
    expect(busy - (quiet[1]! - quiet[0]!)).not.toBe(secrets.length);
    expect(busy < 0 || busy > 1_000_000 || busy < secrets.length).toBe(true);
  });
});

function transientsIn(frames: readonly Uint8Array[]): string[] {
  return frames
    .flatMap((frame) => decodeFrame(frame))
    .map((item) => (item.item === 'transient' ? item.type : item.item));
}

/** How far Alice says that she has come, in each of her requests. */
function progressIn(frames: readonly Uint8Array[]): number[] {
  return frames.flatMap((frame) =>
    decodeFrame(frame).flatMap((item) => {
      if (item.item !== 'transient' || item.type === 'sync_refused') return [];
      const body = decodeBody(typeNamed(item.type), item.body);
      const own = item.type === 'sync_request' ? body.asker_progress : body.answerer_progress;
      return typeof own === 'number' ? [own] : [];
    }),
  );
}
