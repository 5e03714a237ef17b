/**
 * Frames as a broken or hostile peer might send them, made from valid ones: random, cut short, with flipped bits, forged; and, since the worst peer
 * is a member who holds the keys, well signed and well sealed ones that say what must not be said.
 */

import { encodeBody, encodeSealed } from '../core/body-codec.ts';
import { encode } from '../core/cbor.ts';
import type { Header, RawEvent, Wrap } from '../core/envelope.ts';
import type { EventType } from '../core/event-type.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame, encodeHeaderItem, encodeTransientItem } from '../core/frame-codec.ts';
import { decodeHeader, encodeHeader, eventIdOf } from '../core/header-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import { blake2b256 } from '../crypto/hash.ts';
import { type Signer, signerFromSeed } from '../crypto/sign.ts';
import { commitmentTo, keyIdOf, sealBody, wrapContentKey } from '../protocols/quiet/handlers/content-key.ts';
import { quietProtocol, type StoredEvent, seededRandom, storedEvents, type TestNode } from './support.ts';

export interface Forged {
  readonly event_id: Id;
  readonly raw: RawEvent;
  readonly item: Uint8Array;
}

/** Signs an event of any header with any key, as no honest node would. */
export function forge(
  header: Header,
  body: Uint8Array,
  signer: Signer,
  wrapsFor: (event_id: Id) => readonly Wrap[] = () => [],
): Forged {
  const full: Header = { ...header, body_hash: blake2b256(body).toHex() };
  const bytes = encodeHeader(full);
  const event_id = eventIdOf(full.created_ms, blake2b256(bytes));
  const signature = signer.sign(Uint8Array.fromHex(event_id));
  const raw: RawEvent = { header: bytes, signature, body, wraps: wrapsFor(event_id) };
  return { event_id, raw, item: encodeEventItem(raw) };
}

export interface GroupKey {
  readonly key_id: Id;
  readonly secret: Uint8Array;
}

/** What goes wrong while an event is sealed. */
export interface Faults {
  readonly ciphertext?: (body: Uint8Array) => Uint8Array;
  readonly wrap?: (wrap: Wrap) => readonly Wrap[];
  /** In place of the commitment to the key that was used. */
  readonly commitment?: Id | null;
}

/** Seals and signs whatever it is given, under any key. `header.group_id` is whom it is for. */
export function forgeSealed(
  header: Header,
  plaintext: Uint8Array,
  signer: Signer,
  key: GroupKey,
  faults: Faults = {},
): Forged {
  const content_key = blake2b256(plaintext, encodeHeader(header));
  const { commitment = commitmentTo(content_key), ciphertext = same, wrap = (one) => [one] } = faults;
  const committed: Header = { ...header, type: null, key_commitment: commitment };
  const body = ciphertext(sealBody(content_key, committed, plaintext));
  return forge(committed, body, signer, (event_id) =>
    wrap({ key_id: key.key_id, sealed: wrapContentKey(key.secret, event_id, key.key_id, content_key) }),
  );
}
const same = <T>(value: T): T => value;

/** A type and a body, as they are sealed. */
export function plaintextOf(type: string, body: Readonly<Record<string, unknown>>): Uint8Array {
  return encodeSealed(typeNamed(type), body);
}

export function typeNamed(name: string): EventType {
  const type = quietProtocol.types.get(name)?.value;
  if (type === undefined) throw new Error(`there is no event type '${name}'`);
  return type;
}

/** Signs as a node's own device, with the secret from its key slot. */
export function signerOf(node: TestNode): Signer {
  return signerFromSeed(
    node.all('SELECT secret FROM key_slot WHERE id = (SELECT slot FROM identity WHERE identity = 1)')[0]
      ?.secret as Uint8Array,
  );
}

/** A key that a node holds: of a channel, or (null) of what belongs to no channel, in one group. */
export function heldKeyOf(node: TestNode, group_id: Id, channel_id: Id | null): GroupKey {
  const [row] = node.db
    .prepare(
      `SELECT k.id, s.secret FROM group_key k JOIN key_slot s ON s.id = k.slot
       WHERE k.identity = 1 AND k.group_id = :group_id AND k.channel_id IS :channel_id ORDER BY k.n LIMIT 1`,
    )
    .all({
      group_id: Uint8Array.fromHex(group_id),
      channel_id: channel_id === null ? null : Uint8Array.fromHex(channel_id),
    });
  if (row === undefined) throw new Error('the node does not hold this key');
  return { key_id: (row.id as Uint8Array).toHex(), secret: row.secret as Uint8Array };
}

/** A key that nobody was given. */
export function unknownKey(group_id: Id, channel_id: Id | null, secret: Uint8Array): GroupKey {
  return { key_id: keyIdOf(secret, { group_id, channel_id, expires_ms: NEVER_MS }), secret };
}

/** A header as a device would make it; nothing in it is checked. */
export function headerBy(author: Signer, network_id: Id, more: Partial<Header> = {}): Header {
  return {
    version: 1,
    network_id,
    group_id: null,
    type: null,
    author: author.public_key.toHex(),
    seq: 1,
    prev: null,
    created_ms: 0,
    expires_ms: NEVER_MS,
    body_hash: '00'.repeat(32),
    key_commitment: null,
    target: null,
    ...more,
  };
}

const NOBODY = {
  basis_id: null,
  because_id: null,
  known_ids: [],
  device_ids: [],
  head_seqs: [],
  head_ids: [],
};

/**
 * `count` frames that no member may take anything from. `mallory` is a member who has read a message, and is with others in a private group: the
 * frames are made with all that she knows.
 */
export function* hostileFrames(
  mallory: TestNode,
  count: number,
  seed: number,
): Generator<{ kind: string; frame: Uint8Array }> {
  const random = seededRandom(seed);
  const below = (limit: number) => new DataView(random.bytes(4).buffer).getUint32(0) % limit;
  const valid = storedEvents(mallory);
  const stranger = signerFromSeed(random.bytes(32));
  const message = valid.find(({ type }) => type === 'message')!;
  const header = decodeHeader(message.header);
  const network_id = header.network_id!;
  const types = [...quietProtocol.types.values()].map(({ value }) => value);
  const namesOf = (of: string) => types.filter((type) => type.class === of).map((type) => type.name);
  const locals = namesOf('local');
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const flipped = (bytes: Uint8Array) => {
    const copy = bytes.slice();
    const bit = below(copy.length * 8);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  };

  const frame = (...items: readonly Uint8Array[]) => encodeFrame(items);
  const transient = (type: string, body: Uint8Array) => frame(encodeTransientItem(type, body));
  const event = (raw: RawEvent) => frame(encodeEventItem(raw));
  const pick = () => one(valid);
  const whole = () => event(message);
  /** Another header over the same signature. */
  const fresh = () => encodeHeader({ ...header, seq: header.seq + 1 + below(1e6) });
  function syncResponse(bytes: Uint8Array): Uint8Array {
    const body = {
      message: bytes.toHex(),
      cut_ms: header.created_ms,
      round: 0,
      asker_progress: 0,
      answerer_progress: 0,
      answerer_progressed: true,
    };
    return encodeBody(typeNamed('sync_response'), body);
  }

  // What Mallory signs herself.
  const me = signerOf(mallory);
  const { channel_id } = mallory.query<{ channel_id: Id }>('get_message_by_id', {
    message_id: message.event_id,
  })[0]!;
  const key = heldKeyOf(mallory, network_id, channel_id);
  const group_id = mallory.query<{ group_id: Id }>('get_groups')[0]!.group_id;
  const group_key = heldKeyOf(mallory, group_id, null);
  const [creator] = mallory.query<{ device_id: Id }>('get_network_creator');
  const [{ user_id } = { user_id: '' }] = mallory.query<{ user_id: Id }>('get_user_of_device', {
    ...creator,
  });
  const founder = valid.find(({ event_id }) => event_id === user_id)!;
  const mine = (more: Partial<Header> = {}) =>
    headerBy(me, network_id, { seq: 1_000 + below(1e6), created_ms: header.created_ms, ...more });
  const sealed = (plaintext: Uint8Array, faults?: Faults, more: Partial<Header> = {}, under = key) =>
    forgeSealed(mine({ group_id: network_id, ...more }), plaintext, me, under, faults);
  const said = () => plaintextOf('message', { channel_id, text: `unheard of ${below(1e6)}` });
  const inClear = (type: string, body: Readonly<Record<string, unknown>>, more: Partial<Header> = {}) =>
    forge(mine({ type, ...more }), encodeBody(typeNamed(type), body), me);
  const aimed = (of: StoredEvent) => ({
    target_header: of.header.toHex(),
    target_signature: of.signature.toHex(),
  });
  const target = { event_id: message.event_id, expires_ms: header.expires_ms };

  const makers: readonly (readonly [string, () => Uint8Array])[] = [
    ['random', () => random.bytes(below(400))],
    ['random items', () => frame(random.bytes(1 + below(200)))],
    ['truncated', () => whole().slice(0, below(whole().length))],
    ['extended', () => Uint8Array.from([...whole(), ...random.bytes(1 + below(20))])],
    ['bit flipped', () => flipped(whole())],
    ['header flipped', () => event({ ...pick(), header: flipped(pick().header) })],
    [
      'signature flipped',
      () => event({ ...message, signature: flipped(message.signature), header: fresh() }),
    ],
    ['body exchanged', () => event({ ...message, header: fresh(), body: random.bytes(30) })],
    [
      'signed by another',
      () =>
        frame(forge({ ...header, created_ms: header.created_ms + below(1e6) }, message.body, stranger).item),
    ],
    [
      'a stranger as author',
      () =>
        frame(
          forge(
            { ...header, author: stranger.public_key.toHex(), network_id: '00'.repeat(32) },
            message.body,
            stranger,
          ).item,
        ),
    ],
    ['a local type', () => transient(one(locals), random.bytes(below(30)))],
    ['an unsigned event', () => transient('message', message.body)],
    ['an unknown transient', () => transient('no_such_thing', new Uint8Array())],
    ['a bad sync request', () => transient('sync_request', encode(new Map([['message', random.bytes(5)]])))],
    ['a bad reconciliation', () => transient('sync_response', syncResponse(random.bytes(1 + below(60))))],
    ['an event too large', () => event({ ...message, header: fresh(), body: new Uint8Array(70_000) })],

    // Sealed events that are not what they should be. Whoever made them holds the key and signs as a member.
    [
      'a wrap flipped',
      () => frame(sealed(said(), { wrap: (wrap) => [{ ...wrap, sealed: flipped(wrap.sealed) }] }).item),
    ],
    [
      'a wrap cut short',
      () => frame(sealed(said(), { wrap: (wrap) => [{ ...wrap, sealed: wrap.sealed.slice(1) }] }).item),
    ],
    [
      'too many wraps',
      () =>
        frame(
          sealed(said(), {
            wrap: (wrap) => Array.from({ length: limits.wraps_per_event_max + 1 + below(9) }, () => wrap),
          }).item,
        ),
    ],
    ['sealed without wraps', () => frame(sealed(said(), { wrap: () => [] }).item)],
    [
      'ciphertext flipped',
      () => {
        const { raw } = sealed(said());
        return event({ ...raw, body: flipped(raw.body) });
      },
    ],
    ['ciphertext flipped, and its hash fits', () => frame(sealed(said(), { ciphertext: flipped }).item)],
    [
      'ciphertext cut short',
      () => frame(sealed(said(), { ciphertext: (body) => body.slice(0, below(16)) }).item),
    ],
    ['wrapped under the key of another group', () => frame(sealed(said(), {}, {}, group_key).item)],
    [
      'a commitment to another key',
      () => frame(sealed(said(), { commitment: random.bytes(32).toHex() }).item),
    ],
    ['a commitment to no key', () => frame(sealed(said(), { commitment: null }).item)],
    ['sealed for nobody', () => frame(sealed(said(), {}, { group_id: null }).item)],
    ['nonsense sealed', () => frame(sealed(random.bytes(below(100))).item)],
    [
      'a local or public type sealed',
      () => frame(sealed(encode([one([...locals, ...namesOf('public')]), encode(new Map())])).item),
    ],
    [
      'an unknown field sealed',
      () => frame(sealed(encode(['message', encode(new Map([['more', 1]]))])).item),
    ],

    // Signed events that are not what they should be.
    [
      'a local type, signed',
      () => frame(inClear('read-mark', { channel_id, read_until_ms: 1 }, { type: one(locals) }).item),
    ],
    ['a transient type, signed', () => frame(inClear('sync_refused', { introduced: true }).item)],
    [
      'a sealed type in clear',
      () => frame(inClear('message', { channel_id, text: 'for all to read' }, { group_id: network_id }).item),
    ],
    [
      'a public type with wraps',
      () =>
        event({
          ...inClear('address', { address: 'eve.example:1' }).raw,
          wraps: [{ key_id: key.key_id, sealed: random.bytes(48) }],
        }),
    ],
    ['a second root', () => frame(inClear('network', { nonce: random.bytes(16).toHex() }).item)],
    [
      'a header nobody wants',
      () => {
        const { raw } = inClear('address', { address: 'eve.example:1' });
        return frame(encodeHeaderItem(raw.header, raw.signature));
      },
    ],
    [
      'a header with another signature',
      () => frame(encodeHeaderItem(encodeHeader(mine()), random.bytes(64))),
    ],
    ['a header that is none', () => frame(encodeHeaderItem(random.bytes(below(600)), random.bytes(64)))],

    // What only others may do.
    [
      "a deletion of another's message",
      () =>
        frame(
          sealed(plaintextOf('delete-message', { ...aimed(message), basis_id: null }), {}, { target }).item,
        ),
    ],
    [
      'a deletion with the header of another target',
      () =>
        frame(
          sealed(plaintextOf('delete-message', { ...aimed(founder), basis_id: null }), {}, { target }).item,
        ),
    ],
    [
      "an edit of another's message",
      () =>
        frame(
          sealed(plaintextOf('edit', { channel_id, text: 'I was wrong', ...aimed(message) }), {}, { target })
            .item,
        ),
    ],
    [
      'a grant to oneself',
      () => frame(inClear('grant', { user_id: founder.event_id, right: 'admin', basis_id: null }).item),
    ],
    [
      'a removal of the founder',
      () => frame(inClear('remove', { ...NOBODY, user_id: founder.event_id, whole_user: true }).item),
    ],
    ['a prekey for ever', () => frame(inClear('prekey', { public_key: random.bytes(32).toHex() }).item)],
  ];
  for (let made = 0; made < count; made++) {
    const [kind, make] = makers[made % makers.length]!;
    yield { kind, frame: make() };
  }
}
