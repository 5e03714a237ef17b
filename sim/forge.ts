/**
 * What a hostile member knows, and what can be forged with it by hand: events of any header, signed with any key and sealed under any, frames of any
 * bytes. All chance comes from the simulation's, so that the same seed forges the same bytes.
 */

import { decodeBody, encodeBody, encodeSealed } from '../core/body-codec.ts';
import { encode } from '../core/cbor.ts';
import type { Db } from '../core/db.ts';
import type { Engine } from '../core/engine.ts';
import type { Header, RawEvent, Wrap } from '../core/envelope.ts';
import type { EventType } from '../core/event-type.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame, encodeTransientItem } from '../core/frame-codec.ts';
import { encodeHeader, eventIdOf } from '../core/header-codec.ts';
import { limits, NEVER_MS } from '../core/limits.ts';
import { assembleProtocol } from '../core/protocol.ts';
import { sealTo } from '../crypto/box.ts';
import { blake2b256 } from '../crypto/hash.ts';
import type { Signer } from '../crypto/sign.ts';
import { commitmentTo, keyIdOf, sealBody, wrapContentKey } from '../protocols/quiet/handlers/content-key.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import type { Chance } from './chance.ts';
import { unwatched } from './secrets.ts';

export type Body = Readonly<Record<string, unknown>>;

const types = [...assembleProtocol([quiet]).types.values()].map(({ value }) => value);

export function typeNamed(name: string): EventType {
  const type = types.find((one) => one.name === name);
  if (type === undefined) throw new Error(`there is no event type '${name}'`);
  return type;
}

export const namesOf = (of: EventType['class']): string[] =>
  types.filter((type) => type.class === of).map((type) => type.name);

// --- what is known --------------------------------------------------------------------------------------------------------------------------------

/** A machine of one's own, with nothing between its owner and its file. */
export interface Home {
  readonly engine: Engine;
  readonly db: Db;
}

export interface GroupKey {
  readonly key_id: Id;
  readonly secret: Uint8Array;
  readonly group_id: Id;
  readonly channel_id: Id | null;
  readonly expires_ms: number;
}

/** An event as a node has it. Of sealed ones the type is what was found inside. */
export interface Stored extends RawEvent {
  readonly event_id: Id;
  readonly type: string;
  readonly author: Id;
  readonly expires_ms: number;
}

/** The secret of the device key of an identity: 32 bytes of the caller's. */
export function deviceSecretOf({ db }: Home, identity: number): Uint8Array {
  const row = db
    .prepare('SELECT secret FROM key_slot WHERE id = (SELECT slot FROM identity WHERE identity = :identity)')
    .get({ identity });
  return Uint8Array.from(row?.secret as Uint8Array);
}

/** The group keys that an identity holds, oldest first. */
export function heldKeysOf({ db }: Home, identity: number): GroupKey[] {
  return db
    .prepare(
      `SELECT k.id, k.group_id, k.channel_id, k.expires_ms, s.secret FROM group_key k JOIN key_slot s ON s.id = k.slot
       WHERE k.identity = :identity ORDER BY k.n`,
    )
    .all({ identity })
    .map((row) => ({
      key_id: (row.id as Uint8Array).toHex(),
      secret: Uint8Array.from(row.secret as Uint8Array),
      group_id: (row.group_id as Uint8Array).toHex(),
      channel_id: (row.channel_id as Uint8Array | null)?.toHex() ?? null,
      expires_ms: row.expires_ms as number,
    }));
}

/** The newest events that an identity has, with the wraps that they would be sent with, in the order of ids. */
export function storedEventsOf({ db }: Home, identity: number, limit: number): Stored[] {
  const wraps = db.prepare(
    'SELECT k.id, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = :n AND w.sealed IS NOT NULL ORDER BY k.expires_ms, k.id',
  );
  return db
    .prepare(
      `SELECT n, id, type, author, expires_ms, header, signature, body FROM event
       WHERE identity = :identity AND body IS NOT NULL ORDER BY id DESC LIMIT :limit`,
    )
    .all({ identity, limit })
    .map((row) => ({
      event_id: (row.id as Uint8Array).toHex(),
      type: row.type as string,
      author: (row.author as Uint8Array).toHex(),
      expires_ms: row.expires_ms as number,
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
      wraps: wraps.all({ n: row.n as number }).map((wrap) => ({
        key_id: (wrap.id as Uint8Array).toHex(),
        sealed: wrap.sealed as Uint8Array,
      })),
    }))
    .reverse();
}

/** The prekeys that each device advertises, the newest last. */
export function prekeysOf({ db }: Home, identity: number): Map<Id, Id[]> {
  const rows = db
    .prepare(
      `SELECT p.device, p.public_key FROM prekey p JOIN event e ON e.n = p.event
       WHERE e.identity = :identity ORDER BY e.created_ms, e.id`,
    )
    .all({ identity });
  const all = new Map<Id, Id[]>();
  for (const { device, public_key } of rows) {
    const device_id = (device as Uint8Array).toHex();
    all.set(device_id, [...(all.get(device_id) ?? []), (public_key as Uint8Array).toHex()]);
  }
  return all;
}

/** How many keys were given by each prekey, and by how many devices. */
export function usesOfPrekeys({ db }: Pick<Home, 'db'>): { keys: number; givers: number }[] {
  const uses = new Map<Id, { keys: Set<Id>; givers: Set<Id> }>();
  for (const { author, body } of db
    .prepare("SELECT author, body FROM event WHERE type = 'key' AND body IS NOT NULL")
    .all()) {
    const { prekey, key_id } = decodeBody(typeNamed('key'), body as Uint8Array) as { prekey: Id; key_id: Id };
    const use = uses.get(prekey) ?? { keys: new Set(), givers: new Set() };
    uses.set(prekey, use);
    use.keys.add(key_id);
    use.givers.add((author as Uint8Array).toHex());
  }
  return [...uses.values()].map(({ keys, givers }) => ({ keys: keys.size, givers: givers.size }));
}

// --- how events are forged ------------------------------------------------------------------------------------------------------------------------

export interface Forged {
  readonly event_id: Id;
  readonly header: Header;
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
  return { event_id, header: full, raw, item: encodeEventItem(raw) };
}

/** Events of one author whose ids begin alike, in one moment or in one part of it: so many tries each, until chance has it. */
export function ground(
  make: (at: number) => { readonly header: Header; readonly body: Uint8Array },
  signer: Signer,
  count: number,
  begins: number,
): Forged[] {
  const found: Forged[] = [];
  for (let at = 0; found.length < count; at++) {
    const { header, body } = make(at);
    const bytes = encodeHeader({ ...header, body_hash: blake2b256(body).toHex() });
    if (blake2b256(bytes)[0] === begins) found.push(forge(header, body, signer));
  }
  return found;
}

/** What goes wrong while an event is sealed. */
export interface Faults {
  readonly ciphertext?: (body: Uint8Array) => Uint8Array;
  readonly wrap?: (wrap: Wrap) => readonly Wrap[];
  /** In place of the commitment to the key that was used. */
  readonly commitment?: Id | null;
}

const same = <T>(value: T): T => value;

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
  const body = ciphertext(unwatched(() => sealBody(content_key, committed, plaintext)));
  return forge(committed, body, signer, (event_id) => wrap(wrapUnder(key, event_id, content_key)));
}

/** A content key under a group key; whether it is the one that the event commits to is not looked at. */
export function wrapUnder({ key_id, secret }: GroupKey, event_id: Id, content_key: Uint8Array): Wrap {
  return { key_id, sealed: unwatched(() => wrapContentKey(secret, event_id, key_id, content_key)) };
}

/** A type and a body, as they are sealed. */
export const plaintextOf = (type: string, body: Body): Uint8Array => encodeSealed(typeNamed(type), body);

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

/** A key that nobody was given yet. */
export function newKey(
  secret: Uint8Array,
  { group_id, channel_id }: Pick<GroupKey, 'group_id' | 'channel_id'>,
  expires_ms: number = NEVER_MS,
): GroupKey {
  const key_id = keyIdOf(secret, { group_id, channel_id, expires_ms });
  return { key_id, secret, group_id, channel_id, expires_ms };
}

/** What the body of an event says that gives a key to a device by one of its prekeys. */
export function deliveryOf(key: GroupKey, device_id: Id, prekey: Id, ephemeral: Uint8Array): Body {
  return {
    key_id: key.key_id,
    device_id,
    prekey,
    channel_id: key.channel_id,
    key_expires_ms: key.expires_ms,
    // Some prekeys are none that anything can be sealed to.
    sealed: (sealTo(Uint8Array.fromHex(prekey), key.secret, ephemeral) ?? new Uint8Array(80)).toHex(),
  };
}

/** The bytes with one bit changed. */
export function flipped(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = bytes.slice();
  const bit = chance.below(copy.length * 8);
  if (copy.length > 0) copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

export const frameOf = (...items: readonly Uint8Array[]): Uint8Array => encodeFrame(items);
export const eventFrame = (raw: RawEvent): Uint8Array => frameOf(encodeEventItem(raw));
export const transient = (type: string, body: Uint8Array): Uint8Array =>
  frameOf(encodeTransientItem(type, body));

/** A message of a session with a body that its type allows. */
export const saying = (type: string, body: Body): Uint8Array =>
  transient(type, encodeBody(typeNamed(type), body));

/** A header with values, by place, that its own encoding would not let through. */
export function headerBytes(header: Header, more: Readonly<Record<number, number | string>>): Uint8Array {
  const of = (id: Id | null) => (id === null ? null : Uint8Array.fromHex(id));
  const fields = [
    header.version,
    of(header.network_id),
    of(header.group_id),
    header.type,
    of(header.author),
    header.seq,
    of(header.prev),
    header.created_ms,
    header.expires_ms,
    of(header.body_hash),
    of(header.key_commitment),
    null,
    null,
  ];
  return encode(fields.map((value, place) => more[place] ?? value));
}

/** Bytes at which parsers break: deep, of huge declared length, with names of JavaScript, with text that is none. */
export function bombs(chance: Chance): Uint8Array[] {
  const ids = new Map([['event_ids', chance.bytes(limits.events_per_instruction_max)]]);
  return [
    new Uint8Array(chance.between(100, 4_000)).fill(0x81),
    Uint8Array.of(0x82, 1, 0x9b, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x82, 1, 0x5b, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
    Uint8Array.of(0x82, 1, 0x9f, 0xff),
    encode([1, new Map([['__proto__', new Map([['type', 'message']])]])]),
    transient('__proto__', new Uint8Array()),
    transient('constructor', encode(new Map())),
    transient('sync_request', Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2)),
    transient('need-rewrap', encode(ids)),
    Uint8Array.of(0x82, 1, 0x81, 0x83, 1, 0x62, 0xc3, 0x28, 0x40),
    encode([chance.between(2, 200), []]),
  ];
}
