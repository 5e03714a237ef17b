/** Hashes against published vectors, and the separation of labels. */

import { expect, test } from 'vitest';
import { blake2b256, keyedHash } from './hash.ts';

const utf8 = new TextEncoder();
const key = new Uint8Array(32).fill(1);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('blake2b256 gives the known digests', () => {
  expect(hex(blake2b256())).toBe('0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8');
  expect(hex(blake2b256(utf8.encode('abc')))).toBe(
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
  );
});

test('parts are hashed as one', () => {
  expect(blake2b256(utf8.encode('a'), utf8.encode('bc'))).toEqual(blake2b256(utf8.encode('abc')));
  expect(blake2b256(utf8.encode('ab'))).not.toEqual(blake2b256(utf8.encode('abc')));
});

test('keyedHash depends on the key, the label and the parts', () => {
  const base = hex(keyedHash(key, 'label', utf8.encode('part')));
  expect(hex(keyedHash(key, 'label', utf8.encode('pa'), utf8.encode('rt')))).toBe(base);
  expect(hex(keyedHash(new Uint8Array(32).fill(2), 'label', utf8.encode('part')))).not.toBe(base);
  expect(hex(keyedHash(key, 'labe', utf8.encode('lpart')))).not.toBe(base);
  expect(hex(keyedHash(key, 'label', utf8.encode('Part')))).not.toBe(base);
});

test('keyedHash refuses keys and labels that would weaken it', () => {
  expect(() => keyedHash(new Uint8Array(15), 'label')).toThrow(RangeError);
  expect(() => keyedHash(new Uint8Array(65), 'label')).toThrow(RangeError);
  expect(() => keyedHash(key, 'la\0bel')).toThrow(RangeError);
});
