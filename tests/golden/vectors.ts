/**
 * The vectors as our code makes them, from secrets of equal bytes. `events`: a network in which every type of event occurs, whose keys are given to one
 * device.
 */
import { encode } from '../../core/cbor.ts';
import type { Header, RawEvent } from '../../core/envelope.ts';
import { encodeBody, encodeSealed } from '../../core/body-codec.ts';
import { encodeEventItem, encodeFrame, encodeHeaderItem, encodeTransientItem } from '../../core/frame-codec.ts';
import { encodeHeader, eventIdOf } from '../../core/header-codec.ts';
import type { EventType } from '../../core/event-type.ts';
import { NEVER_MS } from '../../core/limits.ts';
import { boxKeyPairFromSecret, sealTo } from '../../crypto/box.ts';
import { blake2b256, keyedHash } from '../../crypto/hash.ts';
import { publicKeyOf, signerFromSeed, signOnce } from '../../crypto/sign.ts';
import { encodeInviteLink } from '../../hosts/invite-link.ts';
import {
  commitmentTo,
  keyIdOf,
  sealBody,
  wrapContentKey,
} from '../../protocols/quiet/handlers/content-key.ts';
import { keyExpiry } from '../../core/key-expiry.ts';
import { proofMessage } from '../../protocols/quiet/handlers/proof.ts';
import { fingerprintOf, installSums } from '../../protocols/quiet/reconcile/fingerprint.ts';
import { type ItemSource, openingMessage, reconcile } from '../../protocols/quiet/reconcile/negentropy.ts';
import { memoryNetwork } from '../../transport/memory.ts';
import { pack } from '../../transport/packing.ts';
import { type SecureSession, secureInitiator, secureResponder } from '../../transport/noise.ts';
import { openedDb, quietProtocol } from '../support.ts';
import { bytes, type HeaderFields, hex } from './independent.ts';

/** A secret of `length` equal bytes. */
export const fill = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
export const T0_MS = 1_800_000_000_000;
export const SEED = fill(1);
export const DEVICE = publicKeyOf(SEED).toHex();
/** Somebody who joins by an invite, is given a right, and goes again. */
export const CAROL_SEED = fill(20);
export const CAROL = publicKeyOf(CAROL_SEED).toHex();
const INVITE_SECRET = fill(12);
export const DAY_MS = 86_400_000;

export interface EventVector {
  readonly name: string;
  /** The secret of its author. */
  readonly author_seed: string;
  /** Of a sealed event the type is in here. */
  readonly type: string;
  /** Byte strings as h'00'. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly header_fields: HeaderFields;
  readonly sealed: {
    readonly content_key: string;
    readonly plaintext: string;
    readonly associated_data: string;
    readonly group_key: string;
    readonly channel: string | null;
    readonly key_expires_ms: number;
    readonly key_id: string;
    readonly wrap: string;
  } | null;
  readonly body_bytes: string;
  readonly body_hash: string;
  readonly header: string;
  readonly event_id: string;
  readonly signature: string;
}

export const typeOf = (name: string): EventType => quietProtocol.types.get(name)!.value;

/** A byte string, or a list of them, as the vectors have it. */
export function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  return typeof value === 'string' ? `h'${value}'` : value;
}

interface MakeOptions {
  key?: Uint8Array;
  channel?: string;
  content_key?: Uint8Array;
  target?: EventVector;
  /** The private group, or the network where a public event is for it. */
  group?: string;
  as?: string;
  by?: Uint8Array;
  ttl_ms?: number;
  /** Fields of the header that are not as they should be. */
  faults?: Partial<Header>;
}

export type Make = (name: string, body: Record<string, unknown>, more?: MakeOptions) => EventVector;

function makeEvents(): { readonly events: readonly EventVector[]; readonly make: Make } {
  const made: EventVector[] = [];
  let network_id: string | null = null;
  /** The last event of each author's chain in each audience. */
  const ends = new Map<string, { seq: number; event_id: string }>();

  function make(name: string, body: Record<string, unknown>, more: MakeOptions = {}): EventVector {
    const type = typeOf(name);
    const { target, content_key, by = SEED } = more;
    const author = publicKeyOf(by).toHex();
    const created_ms = T0_MS + made.length;
    const group_id = more.group ?? (content_key === undefined ? null : network_id);
    // What founds a group is the first of its chain there.
    const audience = group_id === network_id ? null : group_id;
    const end = name === 'group' ? undefined : ends.get(`${author} ${audience}`);
    const unsealed: Header = {
      version: 1,
      network_id,
      group_id,
      type: content_key === undefined ? name : null,
      author,
      seq: (end?.seq ?? 0) + 1,
      prev: end?.event_id ?? null,
      created_ms,
      expires_ms: more.ttl_ms === undefined ? NEVER_MS : created_ms + more.ttl_ms,
      body_hash: '00'.repeat(32),
      key_commitment: content_key === undefined ? null : commitmentTo(content_key),
      target: target === undefined ? null : { event_id: target.event_id, expires_ms: NEVER_MS },
      ...more.faults,
    };
    const plaintext = content_key === undefined ? null : encodeSealed(type, body);
    const body_bytes =
      plaintext === null ? encodeBody(type, body) : sealBody(content_key!, unsealed, plaintext);
    const header: Header = { ...unsealed, body_hash: blake2b256(body_bytes).toHex() };
    const header_bytes = encodeHeader(header);
    const event_id = eventIdOf(header.created_ms, blake2b256(header_bytes));
    const key_for = { group_id: group_id ?? '', channel_id: more.channel ?? null, expires_ms: NEVER_MS };
    const key_id = plaintext === null ? '' : keyIdOf(more.key!, key_for);
    const vector: EventVector = {
      name: more.as ?? name,
      author_seed: hex(by),
      type: name,
      body: Object.fromEntries(
        Object.entries(body).map(([field, value]) => [
          field,
          type.byte_fields.includes(field) ? written(value) : value,
        ]),
      ),
      header_fields: {
        network: header.network_id,
        group: header.group_id,
        type: header.type,
        author: header.author,
        seq: header.seq,
        prev: header.prev,
        created_ms: header.created_ms,
        expires_ms: header.expires_ms,
        key_commitment: header.key_commitment,
        target: header.target?.event_id ?? null,
        target_expires_ms: header.target?.expires_ms ?? null,
      },
      sealed:
        plaintext === null
          ? null
          : {
              content_key: hex(content_key!),
              plaintext: hex(plaintext),
              associated_data: hex(encodeHeader(unsealed)),
              group_key: hex(more.key!),
              channel: more.channel ?? null,
              key_expires_ms: NEVER_MS,
              key_id,
              wrap: hex(wrapContentKey(more.key!, event_id, key_id, content_key!)),
            },
      body_bytes: hex(body_bytes),
      body_hash: header.body_hash,
      header: hex(header_bytes),
      event_id,
      signature: hex(signOnce(by, bytes(event_id))),
    };
    const founded = name === 'group' ? event_id : audience;
    ends.set(`${author} ${founded}`, { seq: header.seq, event_id });
    made.push(vector);
    return vector;
  }

  const root = make('network', { nonce: hex(fill(2, 16)) });
  network_id = root.event_id;
  const nothing = { invite_id: null, invite_key: null, invite_proof: null };
  const user = make('user', nothing);
  make('peer', { user_id: user.event_id, ...nothing });
  make('address', { address: '127.0.0.1:4830' });
  const of_no_channel = { key: fill(3) };
  const channel = make('channel', { name: 'general' }, { ...of_no_channel, content_key: fill(4) });
  const in_channel = { key: fill(5), channel: channel.event_id };
  const said = { channel_id: channel.event_id, text: 'Grüße an alle' };
  const message = make('message', said, { ...in_channel, content_key: fill(6) });
  const target = { target_header: message.header, target_signature: message.signature };
  make(
    'edit',
    { ...said, text: 'Grüße', ...target },
    { ...in_channel, content_key: fill(7), target: message },
  );
  const deletion = { ...target, basis_id: null };
  make('delete-message', deletion, { ...in_channel, content_key: fill(8), target: message });
  const prekey = boxKeyPairFromSecret(fill(10)).public_key;
  const given = (sealed: EventVector, secret: Uint8Array) => ({
    key_id: sealed.sealed!.key_id,
    device_id: hex(publicKeyOf(fill(9))),
    prekey: hex(prekey),
    channel_id: sealed.sealed!.channel,
    key_expires_ms: NEVER_MS,
    sealed: hex(sealTo(prekey, secret, fill(11))!),
  });
  make('key', given(message, fill(5)), { group: network_id });
  make('key', given(channel, fill(3)), { group: network_id, as: 'key of no channel' });

  // --- what lives ---------------------------------------------------------------------------------------------------------------------------

  const clean = { key: fill(23), channel: channel.event_id };
  const lives = make(
    'message',
    { ...said, text: 'bleibt' },
    { ...clean, content_key: fill(24), as: 'message that lives' },
  );
  make('key', given(lives, fill(23)), { group: network_id, as: 'key of what lives' });
  make('reaction', { message_id: lives.event_id, emoji: '👍' }, { ...clean, content_key: fill(25) });
  make(
    'retention',
    { channel_id: channel.event_id, ttl_ms: 7 * DAY_MS },
    { ...of_no_channel, content_key: fill(26) },
  );
  make('profile', { name: 'Alice' }, { ...of_no_channel, content_key: fill(27) });
  make(
    'title',
    { of_id: network_id, title: 'Zuhause', basis_id: null },
    { ...of_no_channel, content_key: fill(28) },
  );
  make('prekey', { public_key: hex(boxKeyPairFromSecret(fill(29)).public_key) }, { ttl_ms: 7 * DAY_MS });
  make('key-request', { key_id: lives.sealed!.key_id }, { group: network_id, ttl_ms: DAY_MS });
  make('key-dirty', { key_id: message.sealed!.key_id }, { group: network_id });
  make('forgotten', { event_ids: [message.event_id] }, { ttl_ms: 90 * DAY_MS });

  // --- who belongs --------------------------------------------------------------------------------------------------------------------------

  const invite_key = hex(publicKeyOf(INVITE_SECRET));
  const invite = make('invite', {
    invite_key,
    uses: 3,
    invite_expires_ms: T0_MS + DAY_MS,
    user_id: null,
    basis_id: null,
  });
  const by_invite = {
    invite_id: invite.event_id,
    invite_key,
    invite_proof: hex(signOnce(INVITE_SECRET, proofMessage(network_id, CAROL))),
  };
  const carol = make('user', by_invite, { by: CAROL_SEED, as: 'user by invite' });
  const carols_device = make(
    'peer',
    { user_id: carol.event_id, invite_id: null, invite_key: null, invite_proof: null },
    { by: CAROL_SEED, as: 'peer of the user by invite' },
  );
  make('admit', { joiner_id: carol.event_id });
  const granted = make('grant', { user_id: carol.event_id, right: 'invite', basis_id: null });
  const group = make('group', { kind: 'private', member_ids: [user.event_id] });
  make('group-add', { user_id: carol.event_id, basis_id: null }, { group: group.event_id });
  const heads = {
    device_ids: [CAROL],
    head_seqs: [carols_device.header_fields.seq],
    head_ids: [carols_device.event_id],
    basis_id: null,
    because_id: null,
  };
  make('revoke', { grant_id: granted.event_id, ...heads });
  make('remove', { user_id: carol.event_id, whole_user: true, ...heads, known_ids: [] });
  make('revoke-invite', { invite_id: invite.event_id, basis_id: null });
  return { events: [...made], make };
}

const { events, make } = makeEvents();
export const EVENTS = events;
/** Makes further events, behind those. */
export const makeFurther = make;
export const NETWORK = EVENTS[0]!.event_id;
export const named = (name: string) => EVENTS.find((event) => event.name === name)!;
export const rawOf = ({ header, signature, body_bytes, sealed }: EventVector): RawEvent => ({
  header: bytes(header),
  signature: bytes(signature),
  body: bytes(body_bytes),
  wraps: sealed === null ? [] : [{ key_id: sealed.key_id, sealed: bytes(sealed.wrap) }],
});

export function makeKeys() {
  const channel = named('channel').event_id;
  const key = (secret: Uint8Array, channel_id: string | null, expires_ms: number) => ({
    group_key: hex(secret),
    group: NETWORK,
    channel: channel_id,
    expires_ms,
    key_id: keyIdOf(secret, { group_id: NETWORK, channel_id, expires_ms }),
  });
  const prekey = boxKeyPairFromSecret(fill(10)).public_key;
  const HOUR_MS = 3_600_000;
  const ttls_ms = [1, HOUR_MS, HOUR_MS + 1, 24 * HOUR_MS, 200 * HOUR_MS, 8_760 * HOUR_MS, 8_761 * HOUR_MS];
  return {
    ids: [key(fill(3), null, NEVER_MS), key(fill(5), channel, NEVER_MS), key(fill(5), channel, T0_MS)],
    box: {
      prekey_secret: hex(fill(10)),
      prekey: hex(prekey),
      ephemeral_secret: hex(fill(11)),
      group_key: hex(fill(5)),
      sealed: hex(sealTo(prekey, fill(5), fill(11))!),
    },
    expiry: [...ttls_ms.map((ttl_ms) => T0_MS + 5 + ttl_ms), NEVER_MS].map((expires_ms) => ({
      now_ms: T0_MS + 5,
      expires_ms,
      key_expires_ms: keyExpiry(T0_MS + 5, expires_ms),
    })),
  };
}

export function makeFrames() {
  const transient = typeOf('sync_refused');
  const items = {
    public_event: encodeEventItem(rawOf(named('address'))),
    sealed_event: encodeEventItem(rawOf(named('message'))),
    transient: encodeTransientItem(transient.name, encodeBody(transient, { introduced: false })),
    header: encodeHeaderItem(bytes(named('message').header), bytes(named('message').signature)),
  };
  const frame = encodeFrame(Object.values(items));
  return {
    items: Object.fromEntries(Object.entries(items).map(([name, item]) => [name, hex(item)])),
    frame: hex(frame),
    packed: hex(pack(frame)),
  };
}

export function makeJoining() {
  const invite_secret = fill(12);
  const joiner = publicKeyOf(fill(9));
  const message = proofMessage(NETWORK, hex(joiner));
  const link = {
    network_id: NETWORK,
    invite_id: hex(fill(13)),
    secret: invite_secret,
    device_id: DEVICE,
    addresses: ['127.0.0.1:4830', '[::1]:4830'],
  };
  return {
    invite_secret: hex(invite_secret),
    invite_key: hex(publicKeyOf(invite_secret)),
    network: NETWORK,
    joining_device: hex(joiner),
    proof_message: hex(message),
    invite_proof: hex(signOnce(invite_secret, message)),
    invite_id: link.invite_id,
    inviting_device: DEVICE,
    addresses: link.addresses,
    user: named('user').event_id,
    person_link: encodeInviteLink({ ...link, user_id: null }),
    device_link: encodeInviteLink({ ...link, user_id: named('user').event_id }),
  };
}

export async function makeSession() {
  const network = bytes(NETWORK);
  const salt = fill(16, 16);
  const [initiator_seed, responder_seed] = [SEED, fill(9)];
  // The library hashes what it is given into the ephemeral secret.
  const [initiator_random, responder_random] = [fill(17), fill(18)];
  const sent: string[] = [];
  const transports = memoryNetwork();
  const devices = [initiator_seed, responder_seed].map((seed) => ({
    network_id: network,
    signer: signerFromSeed(seed),
  }));
  let answered: Promise<SecureSession> | null = null;
  const listener = await transports.transport('responder').listen('responder:1', (connection) => {
    answered = secureResponder(connection, () => [devices[1]!], {
      random: { bytes: () => responder_random.slice() },
    });
  });
  const connection = await transports.transport('initiator').dial('responder:1', { timeout_ms: 1_000 });
  const overheard = {
    send: (message: Uint8Array) => {
      sent.push(hex(message));
      connection.send(message);
    },
    close: (reason?: string) => connection.close(reason),
    buffered_bytes: 0,
    set on_message(receiver: (message: Uint8Array) => void) {
      connection.on_message = (message) => {
        sent.push(hex(message));
        receiver(message);
      };
    },
    set on_close(receiver: (reason: string) => void) {
      connection.on_close = receiver;
    },
  };
  const initiator = await secureInitiator(overheard, devices[0]!, devices[1]!.signer.public_key, {
    random: { bytes: (length) => (length === 16 ? salt.slice() : initiator_random.slice()) },
  });
  const responder = await answered!;
  const messages = sent.splice(0);
  const twice = [NETWORK, NETWORK].map(bytes);
  const frames = [new TextEncoder().encode('one'), encode(twice), new TextEncoder().encode('two')];
  for (const frame of frames) initiator.send(frame);
  const from_initiator = sent.splice(0);
  const heard = new Promise<void>((resolve) => {
    initiator.on_frame = () => (sent.length === frames.length ? resolve() : undefined);
  });
  for (const frame of frames) responder.send(frame);
  await heard;
  const from_responder = sent.splice(0);
  initiator.close();
  await listener.close();
  return {
    network: NETWORK,
    initiator_seed: hex(initiator_seed),
    responder_seed: hex(responder_seed),
    initiator_ephemeral: hex(blake2b256(initiator_random)),
    responder_ephemeral: hex(blake2b256(responder_random)),
    salt: hex(salt),
    hint: hex(keyedHash(network, 'sotto hint v1', salt, devices[1]!.signer.public_key)),
    psk: hex(keyedHash(network, 'sotto noise psk v1')),
    handshake: messages,
    frames: frames.map(hex),
    from_initiator,
    from_responder,
  };
}

export function makeSync() {
  const ids = EVENTS.map((event) => event.event_id);
  const db = openedDb();
  installSums(db);
  db.exec('CREATE TABLE item (id BLOB PRIMARY KEY)');
  const insert = db.prepare('INSERT INTO item (id) VALUES (:id)');
  for (const id of ids) insert.run({ id: bytes(id) });
  const sum = db.prepare('SELECT id_sum(id, 1) AS sum FROM item').get()!.sum as Uint8Array;
  const fingerprint = fingerprintOf(sum, ids.length);
  const source = (known: readonly string[], sum: string): ItemSource => ({
    summary: () => ({ count: known.length, fingerprint: sum }),
    ids: () => known,
    alsoKnown: () => [],
    split: () => [],
    tail: () => [],
  });
  const opening = openingMessage(source(ids, fingerprint));
  const fewer = ids.slice(0, 3);
  return {
    ids,
    fingerprint,
    opening: hex(opening),
    answering_ids: fewer,
    answer: hex(reconcile(source(fewer, ''), opening, false).answer!),
  };
}
