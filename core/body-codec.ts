/**
 * The wire form of bodies: `{ field: value, ... }` in deterministic CBOR, without the fields that are as usual. Here hex becomes bytes.
 */
import { SottoError } from './assert.ts';
import { type CborValue, decode, encode } from './cbor.ts';
import type { EventType } from './event-type.ts';
import { describeIssues } from './query.ts';

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
