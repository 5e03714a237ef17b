/**
 * What a node says of itself on the LAN: one DNS-SD service under a random name, and tags by which those who know a network's id, and nobody else,
 * can tell which of its devices this is. docs/protocol.md has the bytes, docs/security.md what they give away.
 *
 * A tag holds for one place and one day: whoever does not know the network's id can make none, nor use another's for elsewhere or later. Still it
 * only says where to dial: who is there is for the handshake to tell.
 */
import type { QueryPacket, ResponseOutgoingPacket, ResponsePacket } from 'multicast-dns';
import type { Random } from '../../../core/clock.ts';
import { keyedHash } from '../../../crypto/hash.ts';
import { formatAddress, type HostPort } from '../../../transport/address.ts';
import { lan_limits } from './limits.ts';

export const SERVICE = '_sotto._tcp.local';
const INSTANCE = /^([0-9a-f]{16})\._sotto\._tcp\.local$/;
const version = 1;
const salt_bytes = 16;
const tag_bytes = 8;
const text_bytes = 1 + salt_bytes + tag_bytes * lan_limits.tags;
/** How long others may keep the records: RFC 6762, section 10, for what has to do with an address. */
const ttl_s = 120;
const day_ms = 86_400_000;
const utf8 = new TextEncoder();

/** A device of a network, 32 bytes each. */
export interface NetworkDevice {
  readonly network_id: Uint8Array;
  readonly device_id: Uint8Array;
}

/** `gone`: what is said at the end. Its tags are others, so that nobody can say it in another's place. */
export type Word = 'here' | 'gone';

export interface Announcement {
  /** 16 hex digits, random. */
  readonly name: string;
  readonly place: HostPort;
  /** The text record, per word. */
  readonly texts: Readonly<Record<Word, Uint8Array>>;
}

export interface Heard {
  readonly word: Word;
  readonly place: HostPort;
  readonly salt: Uint8Array;
  readonly tags: ReadonlySet<bigint>;
}

/** Makes the tags of a word at a place on a day, under one salt. */
function tagger(
  word: Word,
  salt: Uint8Array,
  day: number,
  place: HostPort,
): (device: NetworkDevice) => bigint {
  const label = `sotto lan ${word} v1`;
  const days = new Uint8Array(4);
  new DataView(days.buffer).setUint32(0, day);
  const address = utf8.encode(formatAddress(place));
  return ({ network_id, device_id }) =>
    tagAt(keyedHash(network_id, label, salt, days, device_id, address), 0);
}

/**
 * Tells of devices whether something heard is of them, and of about today: clocks may be half a day apart.
 * @param now_ms by our own clock
 */
export function recogniser(
  { word, salt, place, tags }: Heard,
  now_ms: number,
): (device: NetworkDevice) => boolean {
  const today = Math.floor(now_ms / day_ms);
  const next = now_ms % day_ms < day_ms / 2 ? today - 1 : today + 1;
  const taggers = [today, next].map((day) => tagger(word, salt, day, place));
  return (device) => taggers.some((tagOf) => tags.has(tagOf(device)));
}

function tagAt(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset + at, tag_bytes).getBigUint64(0);
}

/**
 * @param devices our own; of more than `lan_limits.tags` the first
 * @param now_ms by our own clock
 */
export function announcementOf(
  place: HostPort,
  devices: readonly NetworkDevice[],
  random: Random,
  now_ms: number,
): Announcement {
  const day = Math.floor(now_ms / day_ms);
  const salt = random.bytes(salt_bytes);
  const text = (word: Word) => {
    const tags = devices.slice(0, lan_limits.tags).map(tagger(word, salt, day, place));
    while (tags.length < lan_limits.tags) tags.push(tagAt(random.bytes(tag_bytes), 0));
    // In order of their values, which look random: places tell nothing.
    tags.sort((one, other) => (one < other ? -1 : 1));
    const bytes = new Uint8Array(text_bytes);
    bytes[0] = version;
    bytes.set(salt, 1);
    const view = new DataView(bytes.buffer);
    for (const [index, tag] of tags.entries()) view.setBigUint64(1 + salt_bytes + index * tag_bytes, tag);
    return bytes;
  };
  return { name: random.bytes(8).toHex(), place, texts: { here: text('here'), gone: text('gone') } };
}

/** The records that say it, as DNS-SD wants them (RFC 6763). The host's name is random, too. */
export function recordsOf(
  { name, place, texts }: Announcement,
  word: Word,
): ResponseOutgoingPacket['answers'] {
  const instance = `${name}.${SERVICE}`;
  const host = `${name}.local`;
  const ttl = word === 'here' ? ttl_s : 0;
  return [
    { type: 'PTR', name: SERVICE, ttl, data: instance },
    {
      type: 'SRV',
      name: instance,
      ttl,
      flush: true,
      data: { port: place.port, target: host, priority: 0, weight: 0 },
    },
    { type: 'TXT', name: instance, ttl, flush: true, data: Buffer.from(texts[word]) },
    { type: 'A', name: host, ttl, flush: true, data: place.host },
  ];
}

/** Whether somebody asks who is there. */
export function asksForUs({ questions = [] }: QueryPacket): boolean {
  return questions.some(({ name, type }) => name.toLowerCase() === SERVICE && ['PTR', 'ANY'].includes(type));
}

/**
 * What a packet announces, if it is an announcement such as ours.
 * @param from the address it came from: who speaks for another one's is not heard
 */
export function heardIn({ answers = [] }: ResponsePacket, from: string): Heard | null {
  const [pointer, service, text, address, ...more] = answers;
  if (pointer?.type !== 'PTR' || service?.type !== 'SRV' || text?.type !== 'TXT' || address?.type !== 'A')
    return null;
  const instance = pointer.data;
  const { port, target } = service.data;
  const [bytes, ...further] = [text.data].flat();
  if (
    more.length > 0 ||
    pointer.name !== SERVICE ||
    !INSTANCE.test(instance) ||
    service.name !== instance ||
    text.name !== instance ||
    address.name !== target ||
    address.data !== from ||
    port === 0 ||
    further.length > 0 ||
    !(bytes instanceof Uint8Array) ||
    bytes.length !== text_bytes ||
    bytes[0] !== version
  )
    return null;
  const tags = new Set<bigint>();
  for (let at = 1 + salt_bytes; at < text_bytes; at += tag_bytes) tags.add(tagAt(bytes, at));
  return {
    word: pointer.ttl === 0 ? 'gone' : 'here',
    place: { host: from, port },
    salt: Uint8Array.from(bytes.subarray(1, 1 + salt_bytes)),
    tags,
  };
}
