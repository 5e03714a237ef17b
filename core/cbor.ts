/**
 * Deterministic CBOR (RFC 8949, section 4.2.1), strictly: no indefinite lengths, no duplicate keys, no trailing bytes, no floats, tags or
 * undefined; and a form that differs from the one deterministic form is refused, so that one value has one encoding.
 * Nesting and declared lengths are checked in one pass without recursion, before anything is allocated.
 */
import { decode as decodeCbor, encode as encodeCbor } from 'cborg';
import { SottoError } from './assert.ts';
import { limits } from './limits.ts';

export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<string, CborValue>;

export function encode(value: CborValue): Uint8Array {
  return encodeCbor(value, { float64: true });
}

/** Throws `SottoError('malformed_cbor')`. Maps come as `Map`, so that `__proto__` is just a name. */
export function decode(bytes: Uint8Array): CborValue {
  const is_deterministic = checkStructure(bytes);
  let value: CborValue;
  try {
    value = decodeCbor(bytes, DECODE_OPTIONS) as CborValue;
  } catch {
    throw malformed('expected deterministic CBOR');
  }
  if (!is_deterministic && !sameBytes(encode(value), bytes))
    throw malformed('expected the deterministic encoding');
  return value;
}

/**
 * The byte string in one place of a list of plain values, without decoding the rest (a view into `list`); null where something else stands. For bytes that
 * `decode` has accepted before, and that nobody else can have changed.
 */
export function bytesAt(list: Uint8Array, place: number): Uint8Array | null {
  let at = 1;
  for (let index = 0; ; index++) {
    // Only where a disk has changed it.
    if (at >= list.length) return null;
    const head = list[at]!;
    const major = head >> 5;
    const minor = head & 31;
    at += 1;
    let argument = minor;
    if (minor >= 24) {
      argument = 0;
      for (const end = at + (1 << (minor - 24)); at < end; at++) argument = argument * 256 + list[at]!;
    }
    if (index === place) return major === 2 ? list.subarray(at, at + argument) : null;
    if (major === 2 || major === 3) at += argument;
  }
}

const DECODE_OPTIONS = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: false,
} as const;

/**
 * One pass over the heads of all items: known major types, lengths within the bytes there are and written as shortly as they can be, bounded nesting, one
 * item and no more. True when that is all there is to the deterministic form: where there are maps (whose keys have an order) or text beyond ASCII (which
 * may not be valid), it has to be compared.
 */
function checkStructure(bytes: Uint8Array): boolean {
  let is_deterministic = true;
  const remaining: number[] = [1];
  let at = 0;
  let items_left: number = limits.cbor_items_max;
  while (remaining.length > 0) {
    const depth = remaining.length - 1;
    if (remaining[depth] === 0) {
      remaining.pop();
      continue;
    }
    remaining[depth]! -= 1;
    if (at >= bytes.length) throw malformed('it ends early');
    if (--items_left < 0) throw malformed(`it has more than ${limits.cbor_items_max} values`);
    const head = bytes[at]!;
    const major = head >> 5;
    const minor = head & 31;
    at += 1;
    let argument = minor;
    if (minor >= 24) {
      if (minor > 27) throw malformed('indefinite lengths are not allowed');
      const length = 1 << (minor - 24);
      if (at + length > bytes.length) throw malformed('it ends early');
      argument = 0;
      for (let i = 0; i < length; i++) argument = argument * 256 + bytes[at + i]!;
      at += length;
      const shorter_max = length === 1 ? 23 : 256 ** (length / 2) - 1;
      if (argument <= shorter_max) throw malformed('expected the deterministic encoding');
    }
    if (major === 6) throw malformed('tags are not allowed');
    if (major === 7 && minor !== 20 && minor !== 21 && minor !== 22)
      throw malformed('only false, true and null are allowed besides numbers');
    if (major === 2 || major === 3) {
      if (argument > bytes.length - at) throw malformed('a declared length exceeds the bytes there are');
      const end = at + argument;
      if (major === 3) while (is_deterministic && at < end) is_deterministic = bytes[at++]! < 0x80;
      at = end;
    }
    if (major === 5) is_deterministic = false;
    if (major === 4 || major === 5) {
      const items = major === 5 ? argument * 2 : argument;
      if (items > bytes.length - at) throw malformed('a declared length exceeds the bytes there are');
      if (remaining.length > limits.cbor_depth_max)
        throw malformed(`it nests deeper than ${limits.cbor_depth_max}`);
      remaining.push(items);
    }
  }
  if (at !== bytes.length) throw malformed('bytes follow after its end');
  return is_deterministic;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function malformed(what: string): SottoError {
  return new SottoError('malformed_cbor', `Not acceptable as CBOR: ${what}.`);
}
