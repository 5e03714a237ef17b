/**
 * The wire form of events and frames, and the one place where hex becomes bytes.
 *
 *     header  = [version, network, group, type, author, seq, prev, created_ms, expires_ms, body_hash, key_commitment, target, target_expires_ms]
 *     body    = { field: value, ... }
 *     item    = [0, header bytes, signature, body bytes]                              a public event
 *             | [0, header bytes, signature, body bytes, [[key id, sealed], ...]]     a sealed event with its wraps
 *             | [1, type, body bytes]                                                 a transient message
 *             | [2, header bytes, signature]                                          a header alone
 *     frame   = [1, [item, ...]]
 *
 * All in deterministic CBOR. The event id is `created_ms` in 6 bytes (big-endian) and the first 26 bytes of BLAKE2b-256 over the header bytes; the
 * signature is Ed25519 over the id. Hashing and signing are the handlers' business: this file is pure encoding.
 */
import { SottoError } from './assert.ts';
import { bytesAt, type CborValue, decode, encode } from './cbor.ts';
import type { Header, RawEvent, Wrap } from './envelope.ts';
import type { EventType } from './event-type.ts';
import type { Id } from './fields.ts';
import { limits, NEVER_MS } from './limits.ts';
import { describeIssues } from './query.ts';

export const HEADER_VERSION = 1;
export const FRAME_VERSION = 1;

const bytesOrNull = (hex: Id | null) => (hex === null ? null : Uint8Array.fromHex(hex));

export function encodeHeader(header: Header): Uint8Array {
  return encode([
    header.version,
    bytesOrNull(header.network_id),
    bytesOrNull(header.group_id),
    header.type,
    Uint8Array.fromHex(header.author),
    header.seq,
    bytesOrNull(header.prev),
    header.created_ms,
    header.expires_ms,
    Uint8Array.fromHex(header.body_hash),
    bytesOrNull(header.key_commitment),
    bytesOrNull(header.target?.event_id ?? null),
    header.target?.expires_ms ?? null,
  ]);
}

/** Throws `SottoError('malformed_header')`, `('malformed_cbor')` or `('unknown_version')`. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length > limits.header_bytes_max)
    throw malformedHeader(`it has ${bytes.length} bytes, ${limits.header_bytes_max} is the most`);
  const fields = decode(bytes);
  if (!Array.isArray(fields) || fields.length !== 13)
    throw malformedHeader('expected a list of thirteen fields');
  const list = fields as readonly CborValue[];
  if (list[0] !== HEADER_VERSION)
    throw new SottoError('unknown_version', 'This header is of a version that this node does not know.');
  const target = optionalId(list[11], 'target');
  const target_expires_ms = list[12] === null ? null : whole(list[12], 'target_expires_ms', 0);
  if ((target === null) !== (target_expires_ms === null))
    throw malformedHeader('target and target_expires_ms go together');
  const created_ms = whole(list[7], 'created_ms', 0, 2 ** 48 - 1);
  const expires_ms = whole(list[8], 'expires_ms', created_ms);
  // What aims at another event outlives it: so nothing else may live as long, or it could not be deleted.
  const lifetime_ms_max = target === null ? limits.ttl_ms_max : limits.lifetime_ms_max;
  if (expires_ms !== NEVER_MS && expires_ms - created_ms > lifetime_ms_max) fail('expires_ms');
  return {
    version: HEADER_VERSION,
    network_id: optionalId(list[1], 'network'),
    group_id: optionalId(list[2], 'group'),
    type:
      typeof list[3] === 'string' && list[3].length <= 64 ? list[3] : list[3] === null ? null : fail('type'),
    author: optionalId(list[4], 'author') ?? fail('author'),
    seq: whole(list[5], 'seq', 1),
    prev: optionalId(list[6], 'prev'),
    created_ms,
    expires_ms,
    body_hash: optionalId(list[9], 'body_hash') ?? fail('body_hash'),
    key_commitment: optionalId(list[10], 'key_commitment'),
    target:
      target === null || target_expires_ms === null
        ? null
        : { event_id: target, expires_ms: target_expires_ms },
  };
}

/** The commitment in a header that was checked when it was stored. */
export function commitmentIn(stored_header: Uint8Array): Id | null {
  return bytesAt(stored_header, 10)?.toHex() ?? null;
}

const BODY_HASH_PLACE = 9;

/** A header as it was before its body's hash was known: with zeros in place of it. For headers that were checked before. */
export function withoutBodyHash(header: Uint8Array): Uint8Array {
  const without = header.slice();
  bytesAt(without, BODY_HASH_PLACE)?.fill(0);
  return without;
}

function optionalId(value: CborValue | undefined, name: string): Id | null {
  if (value === null) return null;
  return value instanceof Uint8Array && value.length === 32 ? value.toHex() : fail(name);
}

function whole(
  value: CborValue | undefined,
  name: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    ? value
    : fail(name);
}

function fail(name: string): never {
  throw malformedHeader(`'${name}' has not the form it must have`);
}

function malformedHeader(what: string): SottoError {
  return new SottoError('malformed_header', `Not acceptable as a header: ${what}.`);
}

/** The id that a header has, given the BLAKE2b-256 of its bytes. */
export function eventIdOf(created_ms: number, header_hash: Uint8Array): Id {
  return created_ms.toString(16).padStart(12, '0') + header_hash.subarray(0, 26).toHex();
}

/** Encodes a body that its type's schema has accepted. */
export function encodeBody(type: EventType, body: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = new Map<string, CborValue>();
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (value === undefined || isDefault(type, name, value)) continue;
    fields.set(name, type.byte_fields.includes(name) ? toBytes(value) : (value as CborValue));
  }
  return encode(fields);
}

function isDefault(type: EventType, name: string, value: unknown): boolean {
  const by_default = type.defaults.get(name);
  return by_default !== undefined && by_default === JSON.stringify(value);
}

function toBytes(value: unknown): CborValue {
  if (Array.isArray(value)) return value.map(toBytes);
  return typeof value === 'string' ? Uint8Array.fromHex(value) : (value as CborValue);
}

function toHex(value: CborValue): unknown {
  if (Array.isArray(value)) return value.map(toHex);
  return value instanceof Uint8Array ? value.toHex() : value;
}

/** Decodes and checks a body. Throws `SottoError('malformed_cbor')` or `('malformed_body')`; the message names fields, never values. */
export function decodeBody(type: EventType, bytes: Uint8Array): Record<string, unknown> {
  const decoded = decode(bytes);
  if (!(decoded instanceof Map)) throw malformedBody(type, 'expected a map of fields');
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of decoded as ReadonlyMap<unknown, CborValue>) {
    if (typeof name !== 'string') throw malformedBody(type, 'expected field names to be text');
    const is_bytes = type.byte_fields.includes(name);
    // A hex string where bytes belong would be a second encoding of the same value.
    if (is_bytes && holdsText(value)) throw malformedBody(type, `${name}: expected bytes`);
    fields[name] = is_bytes ? toHex(value) : value;
  }
  return parseBody(type, fields);
}

/** What a sealed event hides: its type's name and its body, `[type, {...}]`. */
export function encodeSealed(type: EventType, body: Readonly<Record<string, unknown>>): Uint8Array {
  return encode([type.name, encodeBody(type, body)]);
}

/** The type's name and the body's bytes. Throws `SottoError('malformed_body')` or `('malformed_cbor')`. */
export function decodeSealed(bytes: Uint8Array): { readonly type: string; readonly body: Uint8Array } {
  const pair = decode(bytes);
  const [type, body] = Array.isArray(pair) && pair.length === 2 ? (pair as readonly CborValue[]) : [];
  if (typeof type !== 'string' || type.length > 64 || !(body instanceof Uint8Array))
    throw new SottoError('malformed_body', 'Not acceptable as what is sealed: expected a type and a body.');
  return { type, body };
}

/** Checks a body that was made here. Throws `SottoError('malformed_body')`. */
export function parseBody(type: EventType, body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const checked = type.body.safeParse(body);
  if (!checked.success) throw malformedBody(type, describeIssues(checked.error));
  return checked.data;
}

function holdsText(value: CborValue): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.some(holdsText));
}

function malformedBody(type: EventType, what: string): SottoError {
  return new SottoError('malformed_body', `Not acceptable as the body of a ${type.name}: ${what}.`);
}

// --- frames ---------------------------------------------------------------------------------------------------------------------------

export type FrameItem =
  | { readonly item: 'event'; readonly raw: RawEvent }
  | { readonly item: 'header'; readonly header: Uint8Array; readonly signature: Uint8Array }
  | { readonly item: 'transient'; readonly type: string; readonly body: Uint8Array };

export function encodeEventItem(raw: RawEvent): Uint8Array {
  const item = [0, raw.header, raw.signature, raw.body];
  return encode(raw.wraps.length === 0 ? item : [...item, wrapList(raw.wraps)]);
}

export function encodeHeaderItem(header: Uint8Array, signature: Uint8Array): Uint8Array {
  return encode([2, header, signature]);
}

const wrapList = (wraps: readonly Wrap[]): CborValue =>
  wraps.map(({ key_id, sealed }) => [Uint8Array.fromHex(key_id), sealed]);

/** 32 bytes of content key and the tag. */
const WRAP_BYTES = 48;

function toWraps(value: CborValue | undefined): Wrap[] {
  if (!Array.isArray(value) || value.length > limits.wraps_per_event_max)
    throw malformedFrame(`expected ${limits.wraps_per_event_max} wraps of an event at most`);
  return (value as readonly CborValue[]).map((pair) => {
    const [key_id, sealed] = Array.isArray(pair) && pair.length === 2 ? (pair as readonly CborValue[]) : [];
    if (!(key_id instanceof Uint8Array) || key_id.length !== 32)
      throw malformedFrame('expected a wrap to name its key');
    if (!(sealed instanceof Uint8Array) || sealed.length !== WRAP_BYTES)
      throw malformedFrame(`expected a wrap of ${WRAP_BYTES} bytes`);
    return { key_id: key_id.toHex(), sealed };
  });
}

export function encodeTransientItem(type: string, body: Uint8Array): Uint8Array {
  return encode([1, type, body]);
}

/** One frame of items that are encoded already. */
export function encodeFrame(items: readonly Uint8Array[]): Uint8Array {
  const head = [0x82, FRAME_VERSION, ...arrayHead(items.length)];
  const frame = new Uint8Array(head.length + items.reduce((total, item) => total + item.length, 0));
  frame.set(head);
  let at = head.length;
  for (const item of items) {
    frame.set(item, at);
    at += item.length;
  }
  return frame;
}

function arrayHead(length: number): number[] {
  if (length < 24) return [0x80 | length];
  if (length < 256) return [0x98, length];
  return [0x99, length >> 8, length & 255];
}

/** Throws `SottoError` with the code `frame_too_large`, `malformed_cbor`, `malformed_frame` or `unknown_version`. */
export function decodeFrame(bytes: Uint8Array): FrameItem[] {
  if (bytes.length > limits.frame_bytes_max)
    throw new SottoError(
      'frame_too_large',
      `A frame of ${bytes.length} bytes; ${limits.frame_bytes_max} is the most.`,
    );
  const frame = decode(bytes);
  if (!Array.isArray(frame) || frame.length !== 2)
    throw malformedFrame('expected a version and a list of items');
  const [version, items] = frame as readonly CborValue[];
  if (version !== FRAME_VERSION)
    throw new SottoError('unknown_version', 'This frame is of a version that this node does not know.');
  if (!Array.isArray(items)) throw malformedFrame('expected a list of items');
  if (items.length > limits.frame_items_max)
    throw malformedFrame(`${items.length} items, ${limits.frame_items_max} is the most`);
  return (items as readonly CborValue[]).map(frameItem);
}

function frameItem(value: CborValue): FrameItem {
  if (!Array.isArray(value)) throw malformedFrame('expected each item to be a list');
  const [kind, a, b, c, wraps] = value as readonly CborValue[];
  if (
    kind === 0 &&
    (value.length === 4 || value.length === 5) &&
    a instanceof Uint8Array &&
    b instanceof Uint8Array &&
    c instanceof Uint8Array
  ) {
    const raw = { header: a, signature: b, body: c, wraps: value.length === 5 ? toWraps(wraps) : [] };
    return { item: 'event', raw };
  }
  if (kind === 2 && value.length === 3 && a instanceof Uint8Array && b instanceof Uint8Array)
    return { item: 'header', header: a, signature: b };
  if (kind === 1 && value.length === 3 && typeof a === 'string' && b instanceof Uint8Array) {
    return { item: 'transient', type: a, body: b };
  }
  throw malformedFrame('expected an event or a transient message');
}

function malformedFrame(what: string): SottoError {
  return new SottoError('malformed_frame', `Not acceptable as a frame: ${what}.`);
}
