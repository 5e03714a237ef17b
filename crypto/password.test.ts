/** Keys out of passphrases: the same for good, as other implementations derive them. */

import { argon2Sync } from 'node:crypto';
import { argon2id } from '@noble/hashes/argon2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hex, utf8 } from './others.testing.ts';
import { deriveKey, interactive_cost } from './password.ts';

const passphrase = utf8('correct horse battery staple');
const salt = new Uint8Array(16).fill(9);
const low_cost = { operations: 1, memory_bytes: 8192 };

test('at the interactive cost, which is the default, the key is that of OpenSSL’s Argon2id', () => {
  expect(interactive_cost).toEqual({ operations: 2, memory_bytes: 67_108_864 });
  const key = deriveKey(passphrase, salt);
  expect(key).toEqual(deriveKey(passphrase, salt, interactive_cost));
  const by_openssl = argon2Sync('argon2id', {
    message: passphrase,
    nonce: salt,
    parallelism: 1,
    tagLength: 32,
    memory: 65_536,
    passes: 2,
  });
  expect(hex(key)).toBe(hex(by_openssl));
  // Written down, so that no update of any library changes what a stored file opens with.
  expect(hex(key)).toBe('15e868239d87949f310841004419bdc188388d42f12a60158bfc639067630dcf');
});

test('at any cost the key is that of noble’s Argon2id', () => {
  const cost = fc.record({
    operations: fc.integer({ min: 1, max: 3 }),
    memory_bytes: fc.integer({ min: 8192, max: 65_536 }),
  });
  const any_salt = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), any_salt, cost, (any, its_salt, its_cost) => {
      const { operations, memory_bytes } = its_cost;
      const options = { t: operations, m: Math.floor(memory_bytes / 1024), p: 1, dkLen: 32 };
      expect(deriveKey(any, its_salt, its_cost)).toEqual(argon2id(any, its_salt, options));
    }),
    { numRuns: 60 },
  );
});

test('passphrase, salt, operations and memory all count, an empty passphrase too', () => {
  const keys = [
    deriveKey(passphrase, salt, low_cost),
    deriveKey(passphrase.subarray(1), salt, low_cost),
    deriveKey(new Uint8Array(0), salt, low_cost),
    deriveKey(passphrase, salt.slice().fill(8), low_cost),
    deriveKey(passphrase, salt, { ...low_cost, operations: 2 }),
    deriveKey(passphrase, salt, { ...low_cost, memory_bytes: 16_384 }),
  ];
  expect(new Set(keys.map(hex)).size).toBe(keys.length);
  expect(keys.every((key) => key.length === 32)).toBe(true);
});

test('another length of salt, and costs that are too low or no whole numbers, are refused', () => {
  for (const length of [0, 15, 17])
    expect(() => deriveKey(passphrase, new Uint8Array(length), low_cost)).toThrow(RangeError);
  for (const operations of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => deriveKey(passphrase, salt, { ...low_cost, operations })).toThrow(RangeError);
  for (const memory_bytes of [0, 8191, 8192.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => deriveKey(passphrase, salt, { ...low_cost, memory_bytes })).toThrow(RangeError);
});
