import { describe, expect, it } from 'vitest';
import { decodeSealed, encodeSealed } from './body-codec.ts';
import { type CborValue, encode } from './cbor.ts';
import type { RawEvent } from './envelope.ts';
import { eventType } from './event-type.ts';
import { content } from './fields.ts';
import {
  decodeFrame,
  encodeEventItem,
  encodeFrame,
  encodeHeaderItem,
  encodeTransientItem,
} from './frame-codec.ts';
import { decodeHeader, encodeHeader } from './header-codec.ts';
import { limits, NEVER_MS } from './limits.ts';

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const wrap = (fill = 1) => ({ key_id: bytes(32, fill).toHex(), sealed: bytes(48, fill) });
const raw = (count: number): RawEvent => ({
  header: bytes(100),
  signature: bytes(64),
  body: bytes(200),
  wraps: Array.from({ length: count }, (_, index) => wrap(index)),
});
const header = {
  version: 1,
  network_id: 'aa'.repeat(32),
  group_id: 'bb'.repeat(32),
  type: null,
  author: 'cc'.repeat(32),
  seq: 3,
  prev: 'dd'.repeat(32),
  created_ms: 1_800_000_000_000,
  expires_ms: NEVER_MS,
  body_hash: 'ee'.repeat(32),
  key_commitment: 'ff'.repeat(32),
  target: { event_id: '11'.repeat(32), expires_ms: NEVER_MS },
} as const;

describe('a frame', () => {
  it.each([0, 1, limits.wraps_per_event_max])('carries an event with %i wraps as it was', (count) => {
    expect(decodeFrame(encodeFrame([encodeEventItem(raw(count))]))).toEqual([
      { item: 'event', raw: raw(count) },
    ]);
  });

  it('carries headers alone and transient messages, in their order', () => {
    const items = [
      encodeHeaderItem(bytes(100), bytes(64)),
      encodeTransientItem('hi', bytes(3)),
      encodeEventItem(raw(2)),
    ];
    expect(decodeFrame(encodeFrame(items)).map(({ item }) => item)).toEqual(['header', 'transient', 'event']);
  });

  const item = (wraps: CborValue) => encodeFrame([encode([0, bytes(100), bytes(64), bytes(200), wraps])]);
  const pair = (key: CborValue, sealed: CborValue): CborValue => [[key, sealed]];
  it.each<readonly [string, Uint8Array]>([
    ['too many wraps', encodeFrame([encodeEventItem(raw(limits.wraps_per_event_max + 1))])],
    ['wraps that are no list', item(bytes(48))],
    ['a wrap that is no pair', item([[bytes(32)]])],
    ['a wrap under a name that is too short', item(pair(bytes(31), bytes(48)))],
    ['a wrap whose key has a name of text', item(pair('aa'.repeat(32), bytes(48)))],
    ['a wrap that is too short', item(pair(bytes(32), bytes(47)))],
    ['a wrap that is too long', item(pair(bytes(32), bytes(49)))],
    ['a header with more than a signature', encodeFrame([encode([2, bytes(100), bytes(64), bytes(1)])])],
    ['an item of an unknown kind', encodeFrame([encode([3, bytes(100), bytes(64)])])],
  ])('with %s is refused whole', (_what, frame) => {
    expect(() => decodeFrame(frame)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });
});

describe('a header', () => {
  it('is read as it was written', () => {
    expect(decodeHeader(encodeHeader(header))).toEqual(header);
    const bare = {
      ...header,
      network_id: null,
      group_id: null,
      type: 'x',
      prev: null,
      key_commitment: null,
      target: null,
    };
    expect(decodeHeader(encodeHeader(bare))).toEqual(bare);
  });

  it('names a target with its expiry or neither', () => {
    const list = [1, null, null, 'x', bytes(32), 1, null, 1, 2, bytes(32), null, bytes(32), null];
    expect(() => decodeHeader(encode(list))).toThrow(expect.objectContaining({ code: 'malformed_header' }));
  });
});

describe('what is sealed', () => {
  const note = eventType({ name: 'note', class: 'sealed', description: 'note', body: { text: content(9) } });

  it('is a type and a body, and nothing else', () => {
    const { type, body } = decodeSealed(encodeSealed(note, { text: 'hello' }));
    expect([type, body]).toEqual(['note', encode(new Map([['text', 'hello']]))]);
    for (const other of [['note'], ['note', body, 1], [1, body], ['note', 'text'], ['n'.repeat(65), body]])
      expect(() => decodeSealed(encode(other))).toThrow(expect.objectContaining({ code: 'malformed_body' }));
  });
});
