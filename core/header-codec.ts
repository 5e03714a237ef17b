/**
 * The signed header of an event: its wire form, and the id that follows from it. Here hex becomes bytes.
 *
 *     header  = [version, network, group, type, author, seq, prev, created_ms, expires_ms, body_hash, key_commitment, target, target_expires_ms]
 *
 * In deterministic CBOR. The event id is `created_ms` in 6 bytes (big-endian) and the first 26 bytes of BLAKE2b-256 over the header bytes; the
 * signature is Ed25519 over the id. Hashing and signing are the handlers' business: this file is pure encoding.
 */
import { SottoError } from './assert.ts';
import { bytesAt, type CborValue, decode, encode } from './cbor.ts';
import type { Header } from './envelope.ts';
import type { Id } from './fields.ts';
import { limits, NEVER_MS } from './limits.ts';

export const HEADER_VERSION = 1;

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
