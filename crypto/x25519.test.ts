/** X25519 as boxes and sessions use it: RFC 7748, and the public keys that an attacker would choose. */

import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  bytes,
  field_prime,
  flipped,
  hex,
  littleEndian,
  wasm,
  x25519_small_order,
} from './others.testing.ts';
import { sodium } from './sodium.ts';

/** One of the libraries: the shared secret, or null where it refuses. */
type Multiply = (secret: Uint8Array, public_key: Uint8Array) => Uint8Array | null;

const ours: Multiply = (secret, public_key) =>
  answerOf(() => {
    const shared = new Uint8Array(32);
    sodium.crypto_scalarmult(shared, secret, public_key);
    return shared;
  });
const libraries: readonly (readonly [string, Multiply])[] = [
  ['our libsodium', ours],
  ['libsodium for WebAssembly', (secret, key) => answerOf(() => wasm.crypto_scalarmult(secret, key))],
  ['noble', (secret, key) => answerOf(() => x25519.getSharedSecret(secret, key))],
];

describe.each(libraries)('%s', (_, multiply) => {
  /** RFC 7748, sections 5.2 and 6.1. */
  test.each([
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
    [
      '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    ],
    [
      '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    ],
  ])('gives the product of RFC 7748 for %s', (secret, public_key, shared) => {
    expect(hex(multiply(bytes(secret), bytes(public_key))!)).toBe(shared);
  });

  test('gives the product of RFC 7748 after 1,000 rounds', () => {
    let secret: Uint8Array = littleEndian(9n);
    let public_key = secret;
    for (let round = 1; round <= 1000; round += 1) {
      [secret, public_key] = [multiply(secret, public_key)!, secret];
      if (round === 1)
        expect(hex(secret)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    }
    expect(hex(secret)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  test.each(x25519_small_order)('refuses the small-order public key %s', (point) => {
    for (const byte of [0, 1, 7, 255])
      expect(multiply(new Uint8Array(32).fill(byte), bytes(point))).toBeNull();
  });

  test('takes every public key from p to 2^255 for the one that it is modulo p', () => {
    const secret = new Uint8Array(32).fill(7);
    for (let u = 2n; u < 19n; u += 1n) {
      const reduced = multiply(secret, littleEndian(u));
      expect(reduced).not.toBeNull();
      expect(multiply(secret, littleEndian(field_prime + u))).toEqual(reduced);
      expect(multiply(secret, littleEndian(field_prime + u + 2n ** 255n))).toEqual(reduced);
    }
  });

  test('takes no notice of the top bit of a public key, nor of the five bits of a secret that clamping sets', () => {
    const [secret, public_key] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(5)];
    const shared = multiply(secret, public_key);
    expect(multiply(secret, flipped(public_key, 255))).toEqual(shared);
    for (const bit of [0, 1, 2, 254, 255]) expect(multiply(flipped(secret, bit), public_key)).toEqual(shared);
    for (const bit of [3, 253]) expect(multiply(flipped(secret, bit), public_key)).not.toEqual(shared);
    expect(multiply(secret, flipped(public_key, 254))).not.toEqual(shared);
  });
});

test('of other lengths nothing is multiplied', () => {
  for (const length of [0, 31, 33]) {
    expect(ours(new Uint8Array(length), littleEndian(9n))).toBeNull();
    expect(ours(littleEndian(9n), new Uint8Array(length).fill(9))).toBeNull();
  }
});
