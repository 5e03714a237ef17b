import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../core/cbor.ts';
import { limits } from '../core/limits.ts';
import { pack, unpack } from './packing.ts';

const id = (fill: number) => new Uint8Array(32).fill(fill);
/** Lists as frames are made of: ids out of few, and bytes that may look like anything. */
const frames = fc
  .array(
    fc.oneof(
      fc.constantFrom(1, 2, 0x58, 0x20).map(id),
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom(Uint8Array.of(0x58), Uint8Array.of(0x58, 0x20), Uint8Array.of(0x58, 0x58, 0x20)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => encode(parts));

describe('packed frames', () => {
  it('any frame comes out as it went in, and no larger than by five bytes', () => {
    fc.assert(
      fc.property(fc.oneof(frames, fc.uint8Array({ maxLength: 400 })), (frame) => {
        const packed = pack(frame);
        expect(packed.length).toBeLessThanOrEqual(frame.length + 5);
        expect(unpack(packed)).toEqual(Uint8Array.from(frame));
      }),
      { numRuns: 2_000 },
    );
  });

  it('have an id once, and three or four bytes where it stands again', () => {
    const other = new Uint8Array(300).fill(7);
    const frame = encode([id(1), other, id(1), other, id(1)]);
    expect(frame.length - pack(frame).length).toBeGreaterThanOrEqual(2 * (32 - 4) - 2);
  });

  it('F23: what is no packed frame is none, and nothing is read outside it or made beyond the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = unpack(bytes);
        expect(frame === null || frame.length <= limits.frame_bytes_max).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    const start = [32, ...id(3)];
    expect(unpack(Uint8Array.from([...start, 32, 0]))).toEqual(Uint8Array.from([...id(3), ...id(3)]));
    for (const bad of [
      [],
      [32],
      [...start, 33, 0],
      [...start, 31, 0],
      [...start, 0, 0],
      [...start, 32],
      [0x80],
      [0xff, 0xff, 0xff, 0xff, 0x01],
    ])
      expect(unpack(Uint8Array.from(bad)), `${bad}`).toBeNull();
    // Two bytes for each 32: as much as the limit allows, and not one id more.
    const most = (limits.frame_bytes_max - 32) / 32;
    const grown = (ids: number) =>
      Uint8Array.from([...start, ...Array.from({ length: ids }, () => [32, 0]).flat()]);
    expect(unpack(grown(most))).toHaveLength(limits.frame_bytes_max);
    expect(unpack(grown(most + 1))).toBeNull();
  });
});
