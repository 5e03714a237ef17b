/**
 * Mallory is a member, and does with keys and wraps what can be done with them: gives false ones, withholds true ones, takes the place of others.
 * Alice's node runs in a process of its own; Bob is an honest member.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { encode } from '../core/cbor.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem } from '../core/frame-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import { sealTo } from '../crypto/box.ts';
import { keyIdOf, wrapContentKey } from '../protocols/quiet/handlers/content-key.ts';
import { dial, Peer, rewrapped, SECONDS_MS } from './adversary.ts';
import { allIsWell, guest, home, tearDown } from './adversary-home.ts';
import { plaintextOf, unknownKey } from './hostile.ts';
import { until } from './process.ts';
import { storedEvents, systemRandom } from './support.ts';

afterEach(tearDown);

const DAY_MS = 86_400_000;

interface KeyRow {
  readonly key_id: Id;
  readonly held: boolean;
  readonly devices_owed: number;
}

describe('false keys', () => {
  it('S6: what does not open, or opens to something else, is not held; the true key still is, when it comes', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    // Bob makes a key for a channel of his own while nobody but Mallory hears him.
    bob.fallSilent();
    mallory.fallSilent();
    const [channel_id] = bob.run('create_channel', { name: 'quiet corner' });
    const message_id = bob.say('under a new key', channel_id!);
    const given = storedEvents(bob.node)
      .filter(({ type }) => type === 'key')
      .at(-1)!;
    const true_key = bob.key(channel_id!);
    const { device_id } = alice.whom;
    const fake = (body: Record<string, unknown>, secret?: Uint8Array) =>
      mallory.keyFor(device_id, { channel_id, ...body }, secret).item;
    const for_prekey = (message: Uint8Array) =>
      sealTo(Uint8Array.fromHex(mallory.prekeyOf(device_id)), message, systemRandom.bytes(32))?.toHex();
    const is_another = [
      fake({ key_id: true_key.key_id }),
      fake({ key_id: true_key.key_id, channel_id: null }, true_key.secret),
      fake({ key_id: true_key.key_id, key_expires_ms: Date.now() + DAY_MS }, true_key.secret),
      fake({ key_expires_ms: Date.now() - DAY_MS }),
      // Nobody could pass it on.
      fake({ key_expires_ms: Date.now() + 12 * 365 * DAY_MS }),
      fake({ key_expires_ms: NEVER_MS - 1 }),
    ];
    const garbage = [
      fake({ key_id: true_key.key_id, sealed: systemRandom.bytes(80).toHex() }),
      fake({ key_id: true_key.key_id, sealed: '00'.repeat(80) }),
    ];
    line.say(...is_another, ...garbage, fake({ key_id: true_key.key_id, prekey: 'ab'.repeat(32) }));
    await alice.counts('key_not_opened:is_another_key', is_another.length);
    await alice.counts('key_not_opened:does_not_open', garbage.length);
    await alice.counts('key_not_opened:prekey_unknown', 1);
    // A secret of another length does not fit into the event, and an event without a group is for nobody.
    const short = for_prekey(systemRandom.bytes(16));
    const bad_body = encode(new Map([['sealed', Uint8Array.fromHex(short!)]]));
    expect(bad_body.length).toBeLessThan(80);
    const groupless = mallory.inClear('key', {
      key_id: keyIdOf(new Uint8Array(32), {
        group_id: mallory.network_id,
        channel_id: null,
        expires_ms: NEVER_MS,
      }),
      device_id,
      prekey: mallory.prekeyOf(device_id),
      channel_id: null,
      key_expires_ms: NEVER_MS,
      sealed: for_prekey(new Uint8Array(32))!,
    });
    line.say(groupless.item);
    await until('it has come', async () => (await alice.standing(groupless.event_id)) !== 'unknown');
    const held = async () =>
      (await alice.get<KeyRow[]>('/keys')).filter((key) => key.held).map((key) => key.key_id);
    expect(await held()).not.toContain(true_key.key_id);
    await bob.meet(alice.whom);
    await until('Alice holds the true key', async () => (await held()).includes(true_key.key_id));
    await alice.shows('under a new key', 'quiet corner');
    expect(await alice.standing(message_id)).toBe('valid');
    expect(await alice.standing(given.event_id)).toBe('valid');
    await allIsWell(all);
  });

  it('S3: a key for a private group from outside of it is not even looked at', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const { group_id, channel_id } = await alice.post<{ group_id: Id; channel_id: Id }>('/groups', {
      name: 'board',
      users: ['bob'],
    });
    await alice.say('the numbers are bad', 'board');
    await bob.reads('the numbers are bad', channel_id);
    mallory.sync();
    const keys = await alice.get<KeyRow[]>('/keys');
    const secret = systemRandom.bytes(32);
    const outsiders = mallory.inClear(
      'key',
      {
        key_id: keyIdOf(secret, { group_id, channel_id, expires_ms: NEVER_MS }),
        device_id: alice.whom.device_id,
        prekey: mallory.prekeyOf(alice.whom.device_id),
        channel_id,
        key_expires_ms: NEVER_MS,
        sealed: sealTo(
          Uint8Array.fromHex(mallory.prekeyOf(alice.whom.device_id)),
          secret,
          systemRandom.bytes(32),
        )?.toHex(),
      },
      { group_id },
    );
    const under_it = mallory.sealed(plaintextOf('message', { channel_id, text: 'buy now' }), {
      group_id,
      key: { key_id: keyIdOf(secret, { group_id, channel_id, expires_ms: NEVER_MS }), secret },
    });
    const added = mallory.inClear('group-add', { user_id: mallory.user_id, basis_id: null }, { group_id });
    line.say(outsiders.item, under_it.item, added.item);
    await alice.counts('blocked:author_not_in_group', 2);
    await alice.counts('blocked:key_missing');
    expect(await alice.standing(outsiders.event_id)).toBe('waiting: author_not_in_group');
    expect(await alice.get('/keys')).toEqual(keys);
    expect(await alice.read('board')).toEqual(['the numbers are bad']);
    // Nor does she get anything of it, however she asks.
    const before = line.heard.length;
    const events = storedEvents(bob.node).filter(({ header }) => header.toHex().includes(group_id));
    expect(events.length).toBeGreaterThan(3);
    line.say(
      mallory.inClear('key-request', { key_id: bob.key(channel_id, group_id).key_id }).item,
      mallory.asking(events.map(({ event_id }) => event_id)),
    );
    await alice.counts('rejected:not_for_this_peer', events.length);
    await allIsWell(all);
    const heard = line.heard.slice(before).map((frame) => frame.toHex());
    for (const { header } of events)
      expect(heard.some((frame) => frame.includes(header.toHex()))).toBe(false);
  });

  it('F20: nothing can be sealed to a prekey of small order: it is refused, and keeps nobody from writing', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const small = ['00'.repeat(32), `01${'00'.repeat(31)}`, `00${'00'.repeat(30)}80`, `ec${'ff'.repeat(31)}`];
    for (const point of small)
      expect(sealTo(Uint8Array.fromHex(point), new Uint8Array(32), systemRandom.bytes(32))).toBeNull();
    line.say(
      ...small.map(
        (public_key) => mallory.inClear('prekey', { public_key }, { expires_ms: Date.now() + DAY_MS }).item,
      ),
    );
    await alice.counts('rejected:can_be_sealed_to', small.length);
    // Each class of lifetimes has a key of its own, which goes to everybody as it is made.
    await alice.post('/messages', { channel: 'general', text: 'for an hour', ttl_ms: 3_600_000 });
    await mallory.reads('for an hour');
    await allIsWell(all);
  });

  it("L1: a key of Mallory's that nobody else was given does not take Alice's words from others", async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    // The lowest id is chosen: she makes keys until hers is.
    const channel_id = mallory.channel('general');
    const theirs = mallory.key().key_id;
    let secret = systemRandom.bytes(32);
    const id = () => keyIdOf(secret, { group_id: mallory.network_id, channel_id, expires_ms: NEVER_MS });
    while (id() >= theirs) secret = systemRandom.bytes(32);
    line.say(mallory.keyFor(alice.whom.device_id, {}, secret).item);
    await until('Alice holds it', async () =>
      (await alice.get<KeyRow[]>('/keys')).some((key) => key.held && key.key_id === id()),
    );
    await alice.say('can you hear me?');
    await bob.reads('can you hear me?');
    await allIsWell(all);
  });

  it('L1: saying that somebody was given a key does not keep them from getting it', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    // Carol is let in, and her prekeys are still on their way.
    const carol = new Peer('carol');
    carol.ask(await alice.invite());
    const items = waitingItems(carol);
    const door = await dial(alice.whom, carol.signer);
    door.say(...items.slice(0, 2));
    await until('she is a member', async () => (await alice.get<unknown[]>('/members')).length === 4);
    door.close();
    const keys = mallory.node
      .query<{ key_id: Id; channel_id: Id | null; held: boolean }>('get_keys')
      .filter(({ held }) => held);
    const lies = keys.map(({ key_id, channel_id }) =>
      mallory.inClear(
        'key',
        {
          key_id,
          device_id: carol.device_id,
          prekey: 'ab'.repeat(32),
          channel_id,
          key_expires_ms: NEVER_MS,
          sealed: '00'.repeat(80),
        },
        { group_id: mallory.network_id, created_ms: Date.now() + limits.clock_skew_ms - 10_000 },
      ),
    );
    line.say(...lies.map(({ item }) => item));
    await until('they have come', async () => (await alice.standing(lies.at(-1)!.event_id)) === 'valid');
    const carols = await carol.meet(alice.whom);
    await until('her prekeys have come', async () => {
      const devices = await alice.get<{ device_id: Id; prekeys: number }[]>('/devices');
      return devices.some((one) => one.device_id === carol.device_id && one.prekeys > 0);
    });
    // She asks for what she lacks, as she would after a minute.
    const requests = keys.map(({ key_id }) =>
      carol.inClear('key-request', { key_id }, { expires_ms: Date.now() + DAY_MS }),
    );
    carols.say(...requests.map(({ item }) => item));
    await alice.post('/jobs/share_keys/run', {});
    await until('Carol can read', () => carol.read().includes('welcome'), SECONDS_MS);
    carol.leave();
    await allIsWell(all);
  });
});

/** What a newcomer has to say for itself, in the order in which it was made. */
function waitingItems({ node }: Peer): Uint8Array[] {
  return node.all('SELECT header, signature, body FROM waiting ORDER BY seq').map((row) =>
    encodeEventItem({
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
      wraps: [],
    }),
  );
}

describe('false wraps', () => {
  it("F15: a wrap that opens to another content key says nothing against the event: Bob's is shown when he brings it", async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    bob.fallSilent();
    const stolen = bob.event(bob.say("Bob's own words"));
    const key = mallory.key();
    const other = mallory.key(null);
    const to_another = (of: { readonly key_id: Id; readonly secret: Uint8Array }) => ({
      key_id: of.key_id,
      sealed: wrapContentKey(of.secret, stolen.event_id, of.key_id, systemRandom.bytes(32)),
    });
    line.say(
      rewrapped(stolen, [to_another(key)]),
      rewrapped(stolen, [to_another(other), to_another(key)]),
      rewrapped(stolen, [{ key_id: key.key_id, sealed: systemRandom.bytes(48) }]),
      rewrapped(stolen, []),
    );
    await alice.counts('rejected:no_wrap_fits', 4);
    await alice.counts('rejected:wrap_does_not_fit', 4);
    // The author commits to one content key: a second one to the same ciphertext is no use, nor a body that does not fit the first.
    const plaintext = plaintextOf('message', { channel_id: mallory.channel('general'), text: 'two faces' });
    const two_faced = mallory.sealed(plaintext, {
      faults: {
        wrap: (wrap) => [
          {
            key_id: other.key_id,
            sealed: wrapContentKey(other.secret, '00'.repeat(32), other.key_id, systemRandom.bytes(32)),
          },
          wrap,
        ],
      },
    });
    const uncommitted = mallory.sealed(plaintext, { faults: { commitment: '11'.repeat(32) } });
    const unopened = mallory.sealed(plaintext, {
      faults: { ciphertext: (body) => body.map((byte) => byte ^ 1) },
    });
    line.say(two_faced.item, uncommitted.item, unopened.item);
    await alice.counts('rejected:body_does_not_open');
    await alice.counts('rejected:no_wrap_fits', 5);
    await alice.shows('two faces');
    expect((await alice.read()).filter((text) => text === 'two faces')).toHaveLength(1);
    await bob.meet(alice.whom);
    await alice.shows("Bob's own words");
    await allIsWell(all);
  });

  it("S5: a wrap under a key that nobody has does not hide Bob's words from Alice", async () => {
    const all = await home();
    const { alice, bob, line } = all;
    bob.fallSilent();
    const stolen = bob.event(bob.say('heard at last'));
    line.say(rewrapped(stolen, [{ key_id: 'ab'.repeat(32), sealed: new Uint8Array(48) }]));
    await alice.counts('blocked:key_missing');
    await bob.meet(alice.whom);
    await alice.shows('heard at last');
    await allIsWell(all);
  });

  it('S5: wraps on what is public do not make it refused for good', async () => {
    const all = await home();
    const { alice, bob, line } = all;
    bob.fallSilent();
    const [event_id] = bob.run('announce_address', { address: '127.0.0.1:9' });
    const stolen = bob.event(event_id!);
    line.say(rewrapped(stolen, [{ key_id: 'ab'.repeat(32), sealed: new Uint8Array(48) }]));
    await alice.counts('rejected:public_and_sealed');
    await bob.meet(alice.whom);
    await until(
      "Alice takes Bob's own",
      async () => (await alice.standing(event_id!)) === 'valid',
      SECONDS_MS,
    );
    await allIsWell(all);
  });
});

describe('withheld keys', () => {
  it('F14: what is sealed under a key that is never shared waits, within the quota of its author, and is told', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const more = 100;
    const secret = unknownKey(mallory.network_id, mallory.channel('general'), systemRandom.bytes(32));
    const sealed = Array.from({ length: limits.waiting_per_author_max + more }, (_, at) =>
      mallory.message(`secret ${at}`, { key: secret }),
    );
    line.say(...sealed.map(({ item }) => item));
    await alice.counts('rejected:waiting_quota_of_author', more);
    expect(await alice.waiting()).toEqual({ key_missing: limits.waiting_per_author_max });
    const why = await alice.why(sealed[0]!.event_id);
    expect(why).toMatchObject({ standing: 'waiting', rule: 'key_missing' });
    expect(why.waits_for).toEqual([{ what: 'key', id: secret.key_id }]);
    await bob.reads('welcome');
    expect(await alice.read()).toEqual(['welcome']);
    await allIsWell(all);
    // Should she share it after all, all that waited is read.
    const channel_id = mallory.channel('general');
    for (const device_id of [alice.whom.device_id, bob.device_id])
      line.say(mallory.keyFor(device_id, { channel_id }, secret.secret).item);
    await until('nothing waits any more', async () => Object.keys(await alice.waiting()).length === 0);
    await alice.shows(`secret ${limits.waiting_per_author_max - 1}`);
    await allIsWell(all);
  });

  it('F20: a member without prekeys is a member, and gets no keys', async () => {
    const all = await home();
    const { alice } = all;
    const nora = new Peer('nora');
    nora.ask(await alice.invite());
    const door = await dial(alice.whom, nora.signer);
    door.say(...waitingItems(nora).slice(0, 2));
    const devices = () => alice.get<{ device_id: Id; prekeys: number; state: string }[]>('/devices');
    await until('she is let in', async () =>
      (await devices()).some((one) => one.device_id === nora.device_id),
    );
    expect((await devices()).find((one) => one.device_id === nora.device_id)).toMatchObject({
      prekeys: 0,
      state: 'member',
    });
    await alice.post('/messages', { channel: 'general', text: 'for an hour', ttl_ms: 3_600_000 });
    expect(await alice.post('/jobs/share_keys/run', {})).toMatchObject({ failed: 0 });
    const keys = await alice.get<KeyRow[]>('/keys');
    expect(keys.every((key) => key.devices_owed === 1)).toBe(true);
    await allIsWell(all);
    // With a prekey she is like everybody.
    door.say(...waitingItems(nora).slice(2, 3));
    await until('nothing is owed any more', async () =>
      (await alice.get<KeyRow[]>('/keys')).every((key) => key.devices_owed === 0),
    );
    door.close();
    const { peer: late } = await guest(alice, 'late');
    await late.reads('welcome');
    await allIsWell(all);
  });
});
