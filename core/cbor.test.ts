import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesAt, type CborValue, decode, encode } from './cbor.ts';

const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string(),
    fc.uint8Array(),
    fc.array(tie('value')) as fc.Arbitrary<CborValue>,
    fc.dictionary(fc.string(), tie('value')).map((fields) => new Map(Object.entries(fields))),
  ),
})).value;

describe('deterministic CBOR', () => {
  it('S2: what is decoded encodes to the same bytes', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encode(original);
        expect(encode(decode(bytes))).toEqual(bytes);
      }),
    );
  });

  it('S2: any bytes that are accepted are the one encoding of their value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let decoded: CborValue;
        try {
          decoded = decode(bytes);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'malformed_cbor' });
          return;
        }
        expect(encode(decoded)).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(' ', ''));
  it.each([
    ['trailing bytes', '00 00'],
    ['an indefinite array', '9f 00 ff'],
    ['an indefinite string', '7f 61 61 ff'],
    ['a duplicate key', 'a2 61 61 00 61 61 01'],
    ['keys out of order', 'a2 61 62 00 61 61 01'],
    ['a number longer than it needs to be', '18 01'],
    ['a float', 'f9 3c 00'],
    ['NaN', 'f9 7e 00'],
    ['undefined', 'f7'],
    ['a tag', 'c0 60'],
    ['an early end', '82 00'],
    ['invalid UTF-8', '61 ff'],
    ['a number beyond the safe range', '1b ff ff ff ff ff ff ff ff'],
    ['a declared length of gigabytes', '5b 00 00 00 01 00 00 00 00 00'],
    ['a declared number of entries of gigabytes', '9b 00 00 00 01 00 00 00 00 00'],
    ['a map with declared entries beyond its bytes', 'ba ff ff ff ff 00'],
    ['nothing', ''],
  ])('F23: refuses %s', (_what, bytes) => {
    expect(() => decode(hex(bytes))).toThrow(expect.objectContaining({ code: 'malformed_cbor' }));
  });

  it('F23: refuses ten megabytes of nesting at once', () => {
    const bomb = new Uint8Array(10 * 1024 * 1024).fill(0x81);
    const started = performance.now();
    expect(() => decode(bomb)).toThrow(/nests deeper/);
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('F23: __proto__ and constructor are just names', () => {
    const bytes = encode(new Map<string, CborValue>([['__proto__', new Map([['polluted', 1]])]]));
    const decoded = decode(bytes);
    expect(decoded).toBeInstanceOf(Map);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('one place of a list', () => {
  it('is what decoding all of it gives', () => {
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 40 }),
      fc.maxSafeNat(),
      fc.boolean(),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.nat(), (list, any) => {
        const place = any % list.length;
        const wanted = list[place];
        expect(bytesAt(encode(list), place)).toEqual(wanted instanceof Uint8Array ? wanted : null);
      }),
    );
  });
});
