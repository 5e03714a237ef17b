/** Sealed messages open as they were sealed, or not at all. */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { describe, expect, test } from 'vitest';
import { bytes, eachFlip, hex, joined, utf8, wasm } from './others.testing.ts';
import { seal, seal_bytes, seal_key_bytes, seal_nonce_bytes, unseal } from './seal.ts';

/** draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
const draft = {
  message: utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  associated_data: bytes('50515253c0c1c2c3c4c5c6c7'),
  key: bytes('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
  nonce: bytes('404142434445464748494a4b4c4d4e4f5051525354555657'),
  ciphertext:
    'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb' +
    '731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452' +
    '2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
    '21f9664c97637da9768812f615c68b13b52e',
  tag: 'c0875924c1c7987947deafd8780acf49',
};
const { key, nonce, message, associated_data } = draft;
const sealed = seal(key, nonce, message, associated_data);
const empty = new Uint8Array(0);

describe('sealing', () => {
  test('gives what the draft gives, as do noble and libsodium for WebAssembly', () => {
    const expected = draft.ciphertext + draft.tag;
    expect(hex(sealed)).toBe(expected);
    expect(hex(xchacha20poly1305(key, nonce, associated_data).encrypt(message))).toBe(expected);
    const by_wasm = wasm.crypto_aead_xchacha20poly1305_ietf_encrypt(
      message,
      associated_data,
      null,
      nonce,
      key,
    );
    expect(hex(by_wasm)).toBe(expected);
    expect(unseal(key, nonce, bytes(expected), associated_data)).toEqual(message);
  });

  test('takes an empty message, no associated data, and neither', () => {
    for (const text of [empty, message]) {
      for (const beside of [empty, associated_data]) {
        const result = seal(key, nonce, text, beside);
        expect(result).toHaveLength(text.length + seal_bytes);
        expect(result).toEqual(xchacha20poly1305(key, nonce, beside).encrypt(text));
        expect(unseal(key, nonce, result, beside)).toEqual(text);
      }
    }
  });

  test('leaves what it was given as it was, and gives bytes of its own', () => {
    const given = [key.slice(), nonce.slice(), message.slice(), associated_data.slice()] as const;
    const result = seal(...given);
    expect(given).toEqual([key, nonce, message, associated_data]);
    expect(unseal(given[0], given[1], result, given[3])).toEqual(message);
    expect(result).toEqual(sealed);
  });
});

describe('unsealing', () => {
  const refused: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ['with a flipped bit', eachFlip(sealed)],
    ['cut short, by 1 byte to all of them', Array.from(sealed, (_, length) => sealed.subarray(0, length))],
    ['cut short in front', Array.from(sealed, (_, length) => sealed.subarray(length + 1))],
    [
      'extended by 1 to 16 bytes',
      Array.from({ length: 16 }, (_, extra) => joined(sealed, new Uint8Array(extra + 1))),
    ],
    ['extended in front', [joined(new Uint8Array(1), sealed), joined(sealed.subarray(0, 1), sealed)]],
    ['with its tag in front', [joined(sealed.subarray(-16), sealed.subarray(0, -16))]],
    ['that are a tag of zeros, or of ones', [new Uint8Array(16), new Uint8Array(16).fill(255)]],
    ['that are of another message under this key', [seal(key, bytes('00'.repeat(24)), message, empty)]],
  ];
  test.each(refused)('refuses bytes %s', (_, wrong) => {
    for (const bytes_wrong of wrong) expect(unseal(key, nonce, bytes_wrong, associated_data)).toBeNull();
  });

  test('refuses another key, nonce or associated data, by one bit', () => {
    for (const wrong of eachFlip(key)) expect(unseal(wrong, nonce, sealed, associated_data)).toBeNull();
    for (const wrong of eachFlip(nonce)) expect(unseal(key, wrong, sealed, associated_data)).toBeNull();
    for (const wrong of eachFlip(associated_data)) expect(unseal(key, nonce, sealed, wrong)).toBeNull();
  });

  test('refuses associated data that is shorter, longer or none, zeros included', () => {
    for (const wrong of [
      empty,
      associated_data.subarray(1),
      associated_data.subarray(0, -1),
      joined(associated_data, new Uint8Array(1)),
      joined(associated_data, new Uint8Array(4)), // what the tag is over is padded with zeros to 16 bytes
    ])
      expect(unseal(key, nonce, sealed, wrong)).toBeNull();
    const beside_nothing = seal(key, nonce, message, empty);
    for (const length of [1, 15, 16])
      expect(unseal(key, nonce, beside_nothing, new Uint8Array(length))).toBeNull();
  });

  test('refuses the flipped bits of a sealed nothing', () => {
    for (const wrong of eachFlip(seal(key, nonce, empty, empty)))
      expect(unseal(key, nonce, wrong, empty)).toBeNull();
  });

  test('refuses what is no bytes, without throwing', () => {
    for (const wrong of [undefined, null, 'sealed', 16, {}, Array.from(sealed)])
      expect(unseal(key, nonce, wrong as never, associated_data)).toBeNull();
  });
});

test('a key or nonce of another length is a bug of the caller, and said so', () => {
  for (const length of [0, seal_key_bytes - 1, seal_key_bytes + 1]) {
    const wrong = new Uint8Array(length);
    expect(() => seal(wrong, nonce, message, empty)).toThrow(RangeError);
    expect(() => unseal(wrong, nonce, sealed, empty)).toThrow(RangeError);
  }
  for (const length of [0, 12, seal_nonce_bytes - 1, seal_nonce_bytes + 1]) {
    const wrong = new Uint8Array(length);
    expect(() => seal(key, wrong, message, empty)).toThrow(RangeError);
    expect(() => unseal(key, wrong, sealed, empty)).toThrow(RangeError);
  }
});
