/** Sealed boxes open for whom they are sealed to, as they were sealed, or not at all. */

import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { box_overhead_bytes, boxKeyPairFromSecret, openSealed, sealTo } from './box.ts';
import {
  answerOf,
  boxByNoble,
  bytes,
  eachFlip,
  field_prime,
  flipped,
  hex,
  joined,
  littleEndian,
  sealToByNoble,
  utf8,
  wasm,
  x25519_small_order,
} from './others.testing.ts';

const secret = new Uint8Array(32).fill(1);
const { public_key } = boxKeyPairFromSecret(secret);
const ephemeral_secret = new Uint8Array(32).fill(2);
const message = utf8('Alice was here');
const box = sealTo(public_key, message, ephemeral_secret)!;

const openByWasm = (sealed: Uint8Array) =>
  answerOf(() => wasm.crypto_box_seal_open(sealed, public_key, secret));

describe('a pair', () => {
  /** RFC 7748, section 6.1. */
  test.each([
    [
      '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    ],
    [
      '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    ],
  ])('of the secret %s is that of RFC 7748', (given, expected) => {
    expect(hex(boxKeyPairFromSecret(bytes(given)).public_key)).toBe(expected);
  });

  test('comes of any 32 bytes, zeros and ones too, and of no other length', () => {
    for (const byte of [0, 255]) {
      const any = new Uint8Array(32).fill(byte);
      expect(boxKeyPairFromSecret(any).public_key).toEqual(x25519.getPublicKey(any));
    }
    for (const length of [0, 31, 33])
      expect(() => boxKeyPairFromSecret(new Uint8Array(length))).toThrow(RangeError);
  });
});

describe('sealing', () => {
  test('is repeatable: the same bytes for the same ephemeral secret, others for another', () => {
    expect(sealTo(public_key, message, ephemeral_secret)).toEqual(box);
    const another = sealTo(public_key, message, flipped(ephemeral_secret, 100))!;
    expect(another).not.toEqual(box);
    expect(openSealed(another, secret)).toEqual(message);
  });

  test('gives what noble puts together from its own parts', () => {
    expect(box).toHaveLength(message.length + box_overhead_bytes);
    expect(box).toEqual(sealToByNoble(public_key, message, ephemeral_secret));
  });

  test('a box of ours opens in libsodium, and one of libsodium opens here', () => {
    for (const text of [message, new Uint8Array(0), new Uint8Array(70_000).fill(7)]) {
      const ours = sealTo(public_key, text, ephemeral_secret)!;
      expect(openByWasm(ours)).toEqual(text);
      expect(openSealed(ours, secret)).toEqual(text);
      const theirs = wasm.crypto_box_seal(text, public_key);
      expect(theirs).toHaveLength(ours.length);
      expect(openSealed(theirs, secret)).toEqual(text);
    }
  });

  test.each(x25519_small_order)('refuses the small-order key %s, as does libsodium', (point) => {
    expect(sealTo(bytes(point), message, ephemeral_secret)).toBeNull();
    expect(answerOf(() => wasm.crypto_box_seal(message, bytes(point)))).toBeNull();
  });

  test('refuses a key of another length, and takes an ephemeral secret of another length for a bug', () => {
    for (const length of [0, 31, 33])
      expect(sealTo(new Uint8Array(length).fill(9), message, ephemeral_secret)).toBeNull();
    for (const length of [0, 31, 33])
      expect(() => sealTo(public_key, message, new Uint8Array(length))).toThrow(RangeError);
  });

  test('leaves its arguments as they were', () => {
    expect(secret).toEqual(new Uint8Array(32).fill(1));
    expect(ephemeral_secret).toEqual(new Uint8Array(32).fill(2));
    expect(message).toEqual(utf8('Alice was here'));
  });
});

describe('opening', () => {
  test('gives the message', () => {
    expect(openSealed(box, secret)).toEqual(message);
  });

  const refused: readonly (readonly [string, readonly Uint8Array[]])[] = [
    // The top bit of the ephemeral key is among them. X25519 ignores it, the nonce does not.
    ['with a flipped bit', eachFlip(box)],
    ['cut short, by 1 byte to all of them', Array.from(box, (_, length) => box.subarray(0, length))],
    ['cut short in front', Array.from(box, (_, length) => box.subarray(length + 1))],
    [
      'extended by 1 to 16 bytes',
      Array.from({ length: 16 }, (_, extra) => joined(box, new Uint8Array(extra + 1))),
    ],
    ['extended in front', [joined(new Uint8Array(1), box)]],
    ['of zeros', [new Uint8Array(box_overhead_bytes), new Uint8Array(box.length)]],
    [
      'with the ephemeral key of another box',
      [joined(sealTo(public_key, message, secret)!.subarray(0, 32), box.subarray(32))],
    ],
  ];
  test.each(refused)('refuses a box %s, as does libsodium', (_, wrong) => {
    for (const wrong_box of wrong) {
      expect(openSealed(wrong_box, secret)).toBeNull();
      expect(openByWasm(wrong_box)).toBeNull();
    }
  });

  test('refuses a box for someone else, who the secret is one bit away from', () => {
    for (const wrong of eachFlip(secret)) {
      // Clamping takes no notice of five of the 256 bits: those secrets are the same one.
      const same = hex(boxKeyPairFromSecret(wrong).public_key) === hex(public_key);
      expect(openSealed(box, wrong)).toEqual(same ? message : null);
    }
    expect(openSealed(box, ephemeral_secret)).toBeNull();
  });

  test.each(x25519_small_order)(
    'refuses what anyone can forge with the small-order ephemeral key %s, as does libsodium',
    (point) => {
      const forged = boxByNoble(bytes(point), public_key, new Uint8Array(32), message);
      expect(openSealed(forged, secret)).toBeNull();
      expect(openByWasm(forged)).toBeNull();
    },
  );

  test('a box made the forger’s way opens with a proper key, so it was the key that was refused', () => {
    const shared_secret = x25519.getSharedSecret(secret, x25519.getPublicKey(ephemeral_secret));
    const ephemeral_public_key = x25519.getPublicKey(ephemeral_secret);
    expect(boxByNoble(ephemeral_public_key, public_key, shared_secret, message)).toEqual(box);
  });

  test('refuses a box to a key that is the recipient’s own, but written another way, as does libsodium', () => {
    // The shared secret is the same; the nonce is over the key as it was written.
    const with_top_bit = flipped(public_key, 255);
    const misaddressed = sealTo(with_top_bit, message, ephemeral_secret)!;
    expect(misaddressed).toEqual(sealToByNoble(with_top_bit, message, ephemeral_secret));
    expect(openSealed(misaddressed, secret)).toBeNull();
    expect(openByWasm(misaddressed)).toBeNull();
    expect(openByWasm(wasm.crypto_box_seal(message, with_top_bit))).toBeNull();
  });

  test('takes an ephemeral key that is not in canonical form, as does libsodium: the sender chose it', () => {
    // u = 9, written as p + 9, is the base point: the shared secret with it is the recipient's public key.
    const base_point = littleEndian(field_prime + 9n);
    const odd = boxByNoble(base_point, public_key, public_key, message);
    expect(openSealed(odd, secret)).toEqual(message);
    expect(openByWasm(odd)).toEqual(message);
  });

  test('refuses what is no bytes, without throwing; a secret of another length is a bug', () => {
    for (const wrong of [undefined, null, 'box', 48, {}, Array.from(box)])
      expect(openSealed(wrong as never, secret)).toBeNull();
    for (const length of [0, 31, 33])
      expect(() => openSealed(box, new Uint8Array(length))).toThrow(RangeError);
  });
});
