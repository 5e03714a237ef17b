/**
 * Mallory is a member who holds the keys, and says to Alice's node what cannot be: at times that are none, of types that nobody may send, in bytes
 * that are no words. Alice's node runs in a process of its own; Bob writes on as if nothing had happened.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type CborValue, encode } from '../core/cbor.ts';
import { decodeFrame, encodeEventItem, encodeFrame, encodeTransientItem } from '../core/frame-codec.ts';
import { decodeHeader, eventIdOf } from '../core/header-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import { blake2b256 } from '../crypto/hash.ts';
import { ANSWER_MS, dial, type Peer, strangeSigner } from './adversary.ts';
import { allIsWell, home, tearDown, Watch } from './adversary-home.ts';
import { forge } from './hostile.ts';
import { until } from './process.ts';
import { quietProtocol } from './support.ts';
import { World } from './world.ts';

afterEach(tearDown);

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

describe('when it was said', () => {
  /** A header with any encoding in place of its creation, expiry or number. */
  function headerOf(
    mallory: Peer,
    patch: Readonly<Record<number, Uint8Array>>,
    body: Uint8Array,
  ): Uint8Array {
    const parts: CborValue[] = [
      1,
      Uint8Array.fromHex(mallory.network_id),
      null,
      'address',
      mallory.signer.public_key,
      7,
      null,
      Date.now(),
      NEVER_MS,
      blake2b256(body),
      null,
      null,
      null,
    ];
    return Uint8Array.from([0x8d, ...parts.flatMap((part, at) => [...(patch[at] ?? encode(part))])]);
  }
  function numbered(mallory: Peer, patch: Readonly<Record<number, Uint8Array>>): Uint8Array {
    const body = encode(new Map([['address', 'a.example:1']]));
    const header = headerOf(mallory, patch, body);
    const signature = mallory.signer.sign(Uint8Array.fromHex(eventIdOf(Date.now(), blake2b256(header))));
    return encodeEventItem({ header, signature, body, wraps: [] });
  }
  const CREATED = 7;
  const EXPIRES = 8;
  const SEQ = 5;
  const uint64 = (value: bigint) => Uint8Array.fromHex(`1b${value.toString(16).padStart(16, '0')}`);

  it('F12, F13: the future is held, and what is no time is refused', async () => {
    const all = await home();
    const { alice, mallory, line } = all;
    const soon = mallory.message('in an hour', { created_ms: Date.now() + HOUR_MS });
    const in_a_century = mallory.message('in a century', { created_ms: Date.now() + 100 * YEAR_MS });
    const last = mallory.message('at the end of time', { created_ms: 2 ** 48 - 1 });
    line.say(soon.item, in_a_century.item, last.item);
    await alice.counts('blocked:from_the_future', 3);
    expect(await alice.standing(soon.event_id)).toBe('waiting: from_the_future');
    expect((await alice.why(soon.event_id)).waits_for).toMatchObject([{ what: 'time' }]);
    // A clock that is a little ahead is honest.
    line.say(mallory.message('a minute ahead', { created_ms: Date.now() + 60_000 }).item);
    await alice.shows('a minute ahead');

    const no_form = [
      numbered(mallory, { [CREATED]: uint64(2n ** 48n) }),
      numbered(mallory, { [CREATED]: encode(-1) }),
      numbered(mallory, { [CREATED]: encode('9e99') }),
      numbered(mallory, { [CREATED]: encode(null) }),
      numbered(mallory, { [EXPIRES]: encode(-1) }),
      numbered(mallory, { [EXPIRES]: encode(Date.now() - HOUR_MS) }),
      numbered(mallory, { [SEQ]: encode(0) }),
      // Ten years and "for ever" are what there is.
      numbered(mallory, { [EXPIRES]: encode(Date.now() + 12 * YEAR_MS) }),
      numbered(mallory, { [EXPIRES]: uint64(2n ** 53n - 2n) }),
    ];
    line.say(...no_form);
    await alice.counts('rejected:malformed_header', no_form.length);
    const no_integer = [
      numbered(mallory, { [CREATED]: Uint8Array.fromHex('fb7ff8000000000000') }),
      numbered(mallory, { [CREATED]: Uint8Array.fromHex('f97e00') }),
      numbered(mallory, { [CREATED]: Uint8Array.fromHex('f97c00') }),
      numbered(mallory, { [CREATED]: Uint8Array.fromHex('fb42785a1ff8a60000') }),
      numbered(mallory, { [CREATED]: uint64(2n ** 53n) }),
      numbered(mallory, { [EXPIRES]: uint64(2n ** 53n) }),
      numbered(mallory, { [EXPIRES]: uint64(2n ** 63n - 1n) }),
      numbered(mallory, { [SEQ]: uint64(2n ** 64n - 1n) }),
      // A bignum, and an integer in more bytes than it needs.
      numbered(mallory, { [CREATED]: Uint8Array.fromHex('c249010000000000000000') }),
      numbered(mallory, { [SEQ]: Uint8Array.fromHex('1b0000000000000007') }),
    ];
    line.say(...no_integer);
    await alice.counts('rejected:malformed_cbor', no_integer.length);
    line.say(mallory.message('over before it came', { created_ms: 1, expires_ms: 2 }).item);
    await alice.counts('rejected:expired');
    expect(await alice.read()).toEqual(['welcome', 'a minute ahead']);
    expect(await alice.waiting()).toEqual({ from_the_future: 3 });
    expect((await alice.get<{ clock: object }>('/status')).clock).toMatchObject({ suspect: false });
    await allIsWell(all);
  });

  it('F12: what was held is shown when its time has come', () => {
    const world = new World({ seed: 12 });
    world.found('alice');
    world.join('alice', 'mallory');
    world.say('alice', 'welcome');
    world.gather();
    world.clock.pass(HOUR_MS);
    const message_id = world.say('mallory', 'from a fast clock');
    const frame = encodeFrame([...itemsOf(world, message_id)]);
    world.clock.pass(-HOUR_MS);
    const alice = world.node('alice');
    alice.engine.receive(1, { session_id: 's', device_id: world.device('mallory') }, frame);
    expect(world.waiting('alice')).toEqual({ from_the_future: 1 });
    expect(world.runJob('alice', 'release_waiting_job')).toBe(0);
    world.clock.pass(HOUR_MS - limits.clock_skew_ms + 2);
    expect(world.runJob('alice', 'release_waiting_job')).toBe(1);
    expect(world.read('alice')).toEqual(['welcome', 'from a fast clock']);
  });
});

function* itemsOf(world: World, event_id: string): Generator<Uint8Array> {
  const row = world
    .node('mallory')
    .db.prepare(
      `SELECT e.header, e.signature, e.body, k.id, w.sealed FROM event e JOIN wrap w ON w.of = e.n JOIN group_key k ON k.n = w.key WHERE e.id = :id`,
    )
    .get({ id: Uint8Array.fromHex(event_id) })!;
  yield encodeEventItem({
    header: row.header as Uint8Array,
    signature: row.signature as Uint8Array,
    body: row.body as Uint8Array,
    wraps: [{ key_id: (row.id as Uint8Array).toHex(), sealed: row.sealed as Uint8Array }],
  });
}

describe('what was said', () => {
  it('F17, S9: what a node does to itself never comes from, nor goes to, the network', async () => {
    const all = await home();
    const { alice, bob, mallory, line } = all;
    const locals = [...quietProtocol.types.values()].filter(({ value }) => value.class === 'local');
    const names = locals.map(({ value }) => value.name);
    expect(names).toContain('forget');
    const channel_id = mallory.channel('general');
    const bodies: Record<string, CborValue> = {
      keypair: new Map<string, CborValue>([
        ['purpose', 'prekey'],
        ['network_id', null],
      ]),
      'read-mark': new Map<string, CborValue>([
        ['channel_id', Uint8Array.fromHex(channel_id)],
        ['read_until_ms', NEVER_MS],
      ]),
    };
    const bodyOf = (name: string) => encode(bodies[name] ?? new Map());
    const events = (await alice.status()).networks[0]!.events;
    for (const name of names) {
      line.say(
        encodeTransientItem(name, bodyOf(name)),
        forge(mallory.header({ type: name }), bodyOf(name), mallory.signer).item,
        mallory.sealed(encode([name, bodyOf(name)])).item,
      );
    }
    for (const name of ['drop-wrap', 'key-secret', 'prekey-secret', 'job-state'])
      line.say(encodeTransientItem(name, encode(new Map())));
    await alice.counts('rejected:local_type_from_network', 2 * names.length);
    await alice.counts('rejected:local_type_sealed', names.length);
    await alice.counts('rejected:unknown_transient_type', 4);
    expect((await alice.status()).networks[0]!.events).toBe(events);
    expect(await alice.get('/unread')).not.toMatchObject([{ read_until_ms: NEVER_MS }]);
    await allIsWell(all);
    bob.sync();
    for (const item of line.heard.flatMap((frame) => decodeFrame(frame))) {
      const type =
        item.item === 'transient'
          ? item.type
          : decodeHeader(item.item === 'event' ? item.raw.header : item.header).type;
      expect(names).not.toContain(type);
    }
  });

  it('F23: bombs for parsers are refused before they go off, and names of JavaScript are names', async () => {
    const all = await home();
    const { alice, mallory } = all;
    // Too much for a frame: the connection ends, before anything of it is looked at.
    const huge = await dial(alice.whom, strangeSigner());
    huge.bytes(new Uint8Array(10 * 1024 * 1024).fill(0x81));
    await until('whoever sends 10 MB is gone', () => huge.closed !== null);
    expect(alice.process.output).toContain('"reason":"message_too_large"');

    mallory.fallSilent();
    const line = await dial(alice.whom, mallory.signer);
    const watch = new Watch(alice);
    const full = (fill: number, head: readonly number[] = []) => {
      const bytes = new Uint8Array(limits.frame_bytes_max).fill(fill);
      bytes.set(head);
      return bytes;
    };
    const many = limits.frame_bytes_max - 7;
    const items = [0x82, 0x01, 0x9a, many >>> 24, (many >> 16) & 255, (many >> 8) & 255, many & 255];
    const bombs = [
      full(0x81),
      full(0xa1),
      full(0x00, items),
      full(0x80, items),
      full(0xa0, items),
      // Lengths of gigabytes and more: of bytes, text, lists, maps; and without end.
      ...['5b', '7b', '9b', 'bb'].map((head) => Uint8Array.fromHex(`8201${head}0000000200000000`)),
      ...['5b', '7b', '9b', 'bb'].map((head) => Uint8Array.fromHex(`8201${head}ffffffffffffffff`)),
      ...['5f', '7f', '9f', 'bf'].map((head) => Uint8Array.fromHex(`8201${head}`)),
      // Not UTF-8: overlong, a surrogate, cut short.
      ...['c080', 'eda080', 'f09f98'].map((text) =>
        Uint8Array.fromHex(`8201818301${(0x60 + text.length / 2).toString(16)}${text}41a0`),
      ),
      Uint8Array.fromHex('8201a2616101616102'),
    ];
    // As many empty maps as are let through: it takes a while to see that they are no frame.
    const most = limits.cbor_items_max - 5;
    const maps = new Uint8Array(7 + most).fill(0xa0);
    maps.set([0x82, 0x01, 0x9a, most >>> 24, (most >> 16) & 255, (most >> 8) & 255, most & 255]);
    for (let sent = 0; sent < 5; sent++) line.frame(maps);
    await alice.counts('rejected:malformed_frame', 5);
    const before = await alice.counter('rejected:malformed_cbor');
    for (const bomb of bombs) line.frame(bomb);
    await alice.counts('rejected:malformed_cbor', before + bombs.length);
    const slowest_ms = await watch.stop();

    const body = (...fields: [string, CborValue][]) => encode(new Map(fields));
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const channel_id: [string, CborValue] = ['channel_id', Uint8Array.fromHex(mallory.channel('general'))];
    const general = mallory.channel('general');
    for (const name of names)
      line.say(
        encodeTransientItem(name, body()),
        encodeTransientItem('sync_refused', body([name, 1])),
        mallory.sealed(encode(['message', body(['text', 'x'], [name, 'y'], channel_id)])).item,
      );
    await alice.counts('rejected:unknown_transient_type', names.length);
    await alice.counts('rejected:malformed_body', 2 * names.length);
    // Duplicate keys, no map at all, too long a text, blanks, a lone surrogate's bytes.
    const malformed = [
      plaintextLike(`82676d657373616765 58 ${'a2 6174 6178 6174 6179'}`),
      encode(['message', encode([1, 2])]),
      encode(['message', body(['text', 'x'.repeat(limits.text_bytes_max + 1)], channel_id)]),
      encode(['message', body(['text', ' \u2003\n'], channel_id)]),
      encode(['message', 7]),
      encode(['x'.repeat(65), body()]),
    ];
    const bodies = await alice.counter('rejected:malformed_body');
    line.say(...malformed.map((plaintext) => mallory.sealed(plaintext).item));
    await until('each is refused', async () => {
      const { counters } = await alice.status();
      return (
        (counters['rejected:malformed_body'] ?? 0) + (counters['rejected:malformed_cbor'] ?? 0) >=
        bodies + before + bombs.length + malformed.length
      );
    });
    line.say(
      forge(mallory.header({ type: 'x'.repeat(65) }), body(), mallory.signer).item,
      mallory.sealed(encode(['message', body(['text', 'x'.repeat(limits.event_bytes_max)], channel_id)]))
        .item,
    );
    await alice.counts('rejected:malformed_header');
    await alice.counts('rejected:event_too_large');
    // A type that nobody knows is kept as it is, whatever it is called.
    const kept = names.flatMap((name) => [
      forge(mallory.header({ type: name }), body([name, 1]), mallory.signer),
      mallory.sealed(encode([name, body([name, 1])])),
    ]);
    line.say(...kept.map(({ item }) => item));
    for (const { event_id } of kept)
      await until('it is kept', async () => (await alice.standing(event_id)) === 'valid');
    expect(await alice.read()).toEqual(['welcome']);
    expect(general).not.toBe('');
    await mallory.meet(alice.whom);
    await allIsWell(all);
    expect(slowest_ms).toBeLessThan(ANSWER_MS);
  });
});

/** Bytes by hand: hex with blanks; `58` is replaced by the head of the byte string that follows. */
function plaintextLike(text: string): Uint8Array {
  const [head = '', rest = ''] = text.split(' 58 ').map((part) => part.replaceAll(' ', ''));
  return Uint8Array.fromHex(`${head}${(0x40 + rest.length / 2).toString(16)}${rest}`);
}
