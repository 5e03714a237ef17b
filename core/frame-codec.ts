/**
 * The wire form of frames, which is how events travel.
 *
 *     item    = [0, header bytes, signature, body bytes]                              a public event
 *             | [0, header bytes, signature, body bytes, [[key id, sealed], ...]]     a sealed event with its wraps
 *             | [1, type, body bytes]                                                 a transient message
 *             | [2, header bytes, signature]                                          a header alone
 *     frame   = [1, [item, ...]]
 *
 * All in deterministic CBOR.
 */
import { SottoError } from './assert.ts';
import { type CborValue, decode, encode } from './cbor.ts';
import type { RawEvent, Wrap } from './envelope.ts';
import { limits } from './limits.ts';

export const FRAME_VERSION = 1;

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
