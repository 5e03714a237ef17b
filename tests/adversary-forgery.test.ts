/**
 * Mallory is a member who holds the keys, and says to Alice's node what she must not: in the names of others, of other networks, of other times,
 * of types that nobody may send, in bytes that are none. Alice's node runs in a process of its own; Bob writes on as if nothing had happened.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { encodeEventItem } from '../core/frame-codec.ts';
import { decodeHeader } from '../core/header-codec.ts';
import { proofMessage } from '../protocols/quiet/handlers/proof.ts';
import { websocketTransport } from '../transport/websocket.ts';
import { dial, type Peer, strangeSigner } from './adversary.ts';
import { allIsWell, home, type Owner, tearDown } from './adversary-home.ts';
import { type Forged, forgeSealed, plaintextOf } from './hostile.ts';
import { until } from './process.ts';
import { foundNetwork, TestNode } from './support.ts';

afterEach(tearDown);

const HOUR_MS = 3_600_000;
const _YEAR_MS = 365 * 24 * HOUR_MS;
/** The order of Ed25519's group: adding it to S gives a second number that a lax verifier takes for the same signature. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const hasSeen = async (alice: Owner, forged: Forged) => alice.standing(forged.event_id);
const texts = (alice: Owner) => alice.read();

function malleated(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${signature.slice(32).toReversed().toHex()}`) + ORDER;
  return Uint8Array.from([
    ...signature.slice(0, 32),
    ...Uint8Array.fromHex(s.toString(16).padStart(64, '0')).toReversed(),
  ]);
}

describe('who said it', () => {
  it('F9: nobody speaks as another, with another key, or with a second form of a signature', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const key = mallory.key();
    const said = (text: string) => plaintextOf('message', { channel_id: mallory.channel('general'), text });
    const as_bob = (signer = mallory.signer) =>
      forgeSealed(
        mallory.header({ author: bob.device_id, group_id: mallory.network_id }),
        said('bob owes me'),
        signer,
        key,
      );
    const true_one = mallory.message('in my own name');
    const with_signature = (signature: Uint8Array) => encodeEventItem({ ...true_one.raw, signature });
    const identity = Uint8Array.fromHex(`01${'00'.repeat(31)}`);
    const of_small_order = forgeSealed(
      mallory.header({ author: identity.toHex(), group_id: mallory.network_id }),
      said('nobody'),
      mallory.signer,
      key,
    );
    const others_label = mallory.signer.sign(
      proofMessage(mallory.network_id, Uint8Array.fromHex(true_one.event_id).toHex()),
    );
    const items = [
      as_bob().item,
      as_bob(strangeSigner()).item,
      with_signature(strangeSigner().sign(Uint8Array.fromHex(true_one.event_id))),
      with_signature(malleated(true_one.raw.signature)),
      with_signature(mallory.signer.sign(true_one.raw.header)),
      with_signature(others_label),
      with_signature(true_one.raw.signature.slice(0, 63)),
      // R and S that fit any message under a key of small order, for a verifier that does not look.
      encodeEventItem({
        ...of_small_order.raw,
        signature: Uint8Array.from([...identity, ...new Uint8Array(32)]),
      }),
    ];
    line.say(...items);
    await alice.counts('rejected:bad_signature', items.length);
    expect(await hasSeen(alice, of_small_order)).toBe('unknown');
    expect(await hasSeen(alice, true_one)).toBe('unknown');
    // A bad copy says nothing against the true one.
    line.say(true_one.item);
    await alice.shows('in my own name');
    expect(await texts(alice)).toEqual(['welcome', 'in my own name']);
    await allIsWell(all);
  });

  it("F10: another network's event, a dead one again, and an old frame of another session count for nothing", async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const elsewhere = new TestNode();
    const { network_id } = foundNetwork(elsewhere);
    const root = elsewhere.all("SELECT header, signature, body FROM event WHERE type = 'network'")[0]!;
    const foreign = mallory.message('of another network', { network_id });
    line.say(
      encodeEventItem({
        header: root.header as Uint8Array,
        signature: root.signature as Uint8Array,
        body: root.body as Uint8Array,
        wraps: [],
      }),
      foreign.item,
      mallory.inClear('network', { nonce: '00'.repeat(16) }, { network_id: null }).item,
    );
    await alice.counts('rejected:other_network', 3);

    const message_id = bob.say('to be deleted');
    await alice.shows('to be deleted');
    const replay = encodeEventItem(bob.event(message_id));
    const duplicates = await alice.counter('duplicate');
    line.say(replay, replay);
    await alice.counts('duplicate', duplicates + 2);
    expect((await texts(alice)).filter((text) => text === 'to be deleted')).toHaveLength(1);
    bob.run('remove_message', { message_id });
    await until('it is gone', async () => !(await texts(alice)).includes('to be deleted'));
    line.say(replay);
    await alice.counts('rejected:dead');
    expect(await alice.standing(message_id)).toBe('dead: deleted');

    // Sealed bytes of a session, again in it; in another; and the whole session from its first byte.
    mallory.leave();
    const first = await dial(alice.whom, mallory.signer);
    const late = mallory.message('said once');
    first.say(late.item);
    await alice.shows('said once');
    const recorded = [...first.sent];
    first.bytes(recorded.at(-1)!);
    await until('the session ends', () => first.closed !== null);
    const second = await dial(alice.whom, mallory.signer);
    second.bytes(recorded.at(-1)!);
    await until('the other session ends', () => second.closed !== null);
    expect(alice.process.output.split('"reason":"bad_frame"').length - 1).toBe(2);
    const connection = await websocketTransport().dial(alice.whom.listen, { timeout_ms: 5_000 });
    const came: Uint8Array[] = [];
    let ended = false;
    connection.on_message = (message) => came.push(message);
    connection.on_close = () => {
      ended = true;
    };
    for (const bytes of recorded) connection.send(bytes);
    await until('the recording gets no session', () => ended);
    expect(came).toHaveLength(1);
    expect((await texts(alice)).filter((text) => text === 'said once')).toHaveLength(1);
    await allIsWell(all);
  });

  it('F16: nobody deletes or edits what others wrote, nor deletions, nor what is not sealed', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const kept = bob.say("bob's, and to stay");
    const other = bob.say('another of his');
    const gone = bob.say('regretted');
    await mallory.reads('regretted');
    bob.run('remove_message', { message_id: gone });
    await until('it is gone', async () => !(await texts(alice)).includes('regretted'));
    await until('Mallory has the deletion', () => {
      mallory.sync();
      return mallory.events('delete-message').length === 1;
    });
    await alice.post('/grants', { right: 'delete', user: 'bob' });
    await alice.post('/groups', { name: 'plans', users: ['mallory'] });
    await until('Mallory has the group and the grant', () => {
      mallory.sync();
      return mallory.channel('plans') !== '' && mallory.events('grant').length === 1;
    });
    const channel_id = mallory.channel('general');
    const aimed = (event_id: string) => {
      const { header, signature } = mallory.event(event_id);
      return { target_header: header.toHex(), target_signature: signature.toHex() };
    };
    const at = (event_id: string) => {
      const { expires_ms } = decodeHeader(mallory.event(event_id).header);
      return { target: { event_id, expires_ms } };
    };
    const grant = mallory.events('grant')[0]!.event_id;
    const group_id = mallory.node.query<{ group_id: string }>('get_groups')[0]!.group_id;
    const deletion = mallory.events('delete-message')[0]!.event_id;
    const of_all = mallory.events('key')[0]!.event_id;
    const mine = mallory.message('mine');
    line.say(mine.item);
    await alice.shows('mine');
    await mallory.reads('mine');
    const remove = (event_id: string, body = {}, more = {}) =>
      mallory.sealed(plaintextOf('delete-message', { ...aimed(event_id), basis_id: null, ...body }), {
        ...at(event_id),
        ...more,
      }).item;
    const edit = (event_id: string, body = {}, more: Parameters<Peer['sealed']>[1] = {}) =>
      mallory.sealed(plaintextOf('edit', { channel_id, text: 'I was wrong', ...aimed(event_id), ...body }), {
        ...at(event_id),
        ...more,
      }).item;
    const tries: Record<string, Uint8Array[]> = {
      author_may_delete: [remove(kept), remove(kept, { basis_id: grant })],
      target_can_be_deleted: [remove(deletion), remove(of_all)],
      target_does_not_fit: [
        remove(kept, aimed(other)),
        remove(mallory.events('admit')[0]!.event_id),
        edit(mine.event_id, aimed(kept)),
        edit(kept, aimed(mine.event_id)),
        edit(mine.event_id, {}, { group_id, key: mallory.key(null, group_id) }),
        edit(mine.event_id, {}, { target: null }),
        mallory.message('aimed at something', at(mine.event_id)).item,
      ],
      author_may_edit: [edit(kept)],
      target_can_be_edited: [edit(deletion)],
      dependency_of_another_group: [edit(mine.event_id, { channel_id: mallory.channel('plans') })],
      outlives_its_target: [remove(mine.event_id, {}, { expires_ms: Date.now() + HOUR_MS })],
    };
    for (const [rule, items] of Object.entries(tries)) {
      line.say(...items);
      await alice.counts(`rejected:${rule}`, items.length);
    }
    expect(await texts(alice)).toEqual(['welcome', "bob's, and to stay", 'another of his', 'mine']);
    expect(await alice.get(`/messages/${kept}/versions`)).toHaveLength(1);
    await allIsWell(all);
  });
});
