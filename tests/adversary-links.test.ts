/** Mallory uses links twice, after their time, and for what they are not for. Alice's node runs in a process of its own. */
import { afterEach, describe, expect, it } from 'vitest';
import { encodeBody } from '../core/body-codec.ts';
import type { Id } from '../core/fields.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { decodeInviteLink } from '../hosts/invite-link.ts';
import { proofMessage } from '../protocols/quiet/handlers/proof.ts';
import { dial, type Line, Peer, strangeSigner } from './adversary.ts';
import { allIsWell, home, type Owner, tearDown } from './adversary-home.ts';
import { forge, headerBy, typeNamed } from './hostile.ts';
import { until } from './process.ts';

afterEach(tearDown);

describe('who gets in', () => {
  interface InviteRow {
    readonly invite_id: Id;
    readonly used: number;
    readonly state: string;
  }
  const inviteOf = async (alice: Owner, link: string) => {
    const { invite_id } = decodeInviteLink(link);
    return (await alice.get<InviteRow[]>('/invites')).find((row) => row.invite_id === invite_id);
  };

  /** Knocks with a link, and waits until Alice has heard all that the newcomer has to say, and has thought it over twice. */
  async function knock(alice: Owner, link: string, name: string): Promise<{ peer: Peer; line: Line }> {
    const peer = new Peer(name);
    peer.ask(link);
    const line = await peer.meet(alice.whom);
    await until(`${name} was heard`, async () => {
      const [first] = storedIds(peer);
      return first === undefined || (await alice.standing(first)) !== 'unknown';
    });
    await alice.post('/jobs/admit_joiners/run', {});
    return { peer, line };
  }
  const storedIds = ({ node }: Peer) =>
    node.all('SELECT id FROM waiting ORDER BY seq').map((row) => (row.id as Uint8Array).toHex());
  const isIn = async (alice: Owner, { device_id }: Peer) =>
    (await alice.get<{ device_id: Id }[]>('/devices')).some((device) => device.device_id === device_id);

  it('F21: a link for one lets one in, and a link that is over lets in nobody', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const link = await alice.invite();
    const racers = ['first', 'second'].map((name) => {
      const peer = new Peer(name);
      peer.ask(link);
      return peer;
    });
    await Promise.all(racers.map((peer) => peer.meet(alice.whom)));
    await until('one is in', async () => (await inviteOf(alice, link))?.used === 1);
    const { peer: late } = await knock(alice, link, 'late');
    const inside = await Promise.all([...racers, late].map((peer) => isIn(alice, peer)));
    expect(inside.filter(Boolean)).toHaveLength(1);
    expect(await inviteOf(alice, link)).toMatchObject({ used: 1, state: 'used_up' });
    for (const peer of [...racers, late]) if (!(await isIn(alice, peer))) expect(peer.read()).toEqual([]);

    const short = (await alice.post<{ link: string }>('/invites', { uses: 5, ttl_ms: 1 })).link;
    const taken_back = await alice.invite(5);
    await alice.process.ask('DELETE', `/invites/${decodeInviteLink(taken_back).invite_id}`);
    for (const [over, name] of [
      [short, 'after its time'],
      [taken_back, 'after it was taken back'],
    ] as const) {
      const { peer } = await knock(alice, over, name);
      expect([name, await isIn(alice, peer)]).toEqual([name, false]);
    }

    // A proof is of no use to another device, and a made-up invite none at all.
    const proof = mallory.events('user').at(-1)!;
    const stranger = strangeSigner();
    const door = await dial(alice.whom, stranger);
    const as_stranger = headerBy(stranger, mallory.network_id, {
      type: 'user',
      seq: 1,
      created_ms: Date.now(),
    });
    door.say(forge(as_stranger, proof.body, stranger).item);
    await alice.counts('rejected:bad_proof');
    // Any member may let somebody in, by any invite: what exceeds it stands, and is told.
    const outside = racers.find((peer) => peer.read().length === 0)!;
    line.say(mallory.inClear('admit', { joiner_id: storedIds(outside)[0] ?? outside.user_id }).item);
    await until('it is told', async () => (await inviteOf(alice, link))?.state === 'overused');
    for (const peer of [...racers, late]) peer.leave();
    await allIsWell(all);
  });

  it("F21: a device's link links one device, and no stranger after it", async () => {
    const all = await home();
    const { alice, line, mallory } = all;
    const { link } = await alice.post<{ link: string }>('/device-links', {});
    const phone = new Peer('phone');
    await phone.join(link, alice.whom);
    const devices = async () =>
      (await alice.get<{ user_name: string | null }[]>('/devices')).filter((one) => one.user_name === 'alice')
        .length;
    await until('it is linked', async () => (await devices()) === 2);
    const { peer: thief } = await knock(alice, link, 'thief');
    expect(await isIn(alice, thief)).toBe(false);
    expect(await devices()).toBe(2);
    // Whoever holds the secret can prove it for a new person, too; but the link is not for one.
    const { invite_id, secret } = decodeInviteLink(link);
    const invite = signerFromSeed(secret);
    const as_person = new Peer('person');
    as_person.node.engine.command(
      'join_network',
      0,
      { network_id: alice.whom.network_id, invite_id, invite_key: invite.public_key.toHex() },
      { invite_secret: secret.slice() },
    );
    as_person.network_id = alice.whom.network_id;
    await as_person.meet(alice.whom);
    await alice.counts('rejected:invite_is_for_people');
    // Nor does an invite of Mallory's for a device of hers make one of Alice's.
    const own = mallory.node.engine.command('create_device_link', 1, { ttl_ms: 3_600_000 });
    mallory.sync();
    const alice_user = await alice.userNamed('alice');
    const mallorys = signerFromSeed((own.reply.secret as Uint8Array).slice());
    const device = strangeSigner();
    const body = {
      user_id: alice_user,
      invite_id: own.event_ids.at(-1),
      invite_key: mallorys.public_key.toHex(),
      invite_proof: mallorys.sign(proofMessage(mallory.network_id, device.public_key.toHex())).toHex(),
    };
    await until('the link is known', async () => (await alice.standing(own.event_ids.at(-1)!)) === 'valid');
    const declared = headerBy(device, mallory.network_id, { type: 'peer', created_ms: Date.now() });
    line.say(forge(declared, encodeBody(typeNamed('peer'), body), device).item);
    line.say(
      mallory.inClear('invite', {
        invite_key: mallorys.public_key.toHex(),
        uses: 9,
        invite_expires_ms: Date.now() + 1e6,
        user_id: alice_user,
        basis_id: null,
      }).item,
    );
    line.say(
      mallory.inClear('invite', {
        invite_key: mallorys.public_key.toHex(),
        uses: 9,
        invite_expires_ms: Date.now() + 1e6,
        user_id: null,
        basis_id: null,
      }).item,
    );
    await alice.counts('rejected:user_is_its_own');
    await alice.counts('rejected:author_may_invite', 2);
    expect(await devices()).toBe(2);
    for (const peer of [phone, thief, as_person]) peer.leave();
    await allIsWell(all);
  });
});
