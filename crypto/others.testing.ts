/**
 * What the tests of this folder share: bytes written as hex, the points that every library must be wary of, and the
 * other libraries that must come to the same answers: libsodium for WebAssembly, and noble, which shares no code with it.
 */

import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import wasm from 'libsodium-wrappers';

await wasm.ready;

export { wasm };

export const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
export const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
export const utf8 = (text: string) => new TextEncoder().encode(text);
export const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** 32 bytes, little end first. */
export const littleEndian = (value: bigint) => bytes(value.toString(16).padStart(64, '0')).reverse();
export const fromLittleEndian = (value: Uint8Array) => BigInt(`0x${hex(value.toReversed())}`);

export function flipped(value: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(value);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** Each bit of `value` flipped, one at a time. */
export const eachFlip = (value: Uint8Array) =>
  Array.from({ length: value.length * 8 }, (_, bit) => flipped(value, bit));

/** What `ask` answers, or null where it refuses by throwing. */
export function answerOf<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

/** The prime of the field of both curves. */
export const field_prime = 2n ** 255n - 19n;
const top_bit = 2n ** 255n;

/**
 * Every 32 bytes that stand for a u of small order: 0, 1, -1, two of order 8, and 0 and 1 again as p and p + 1; each
 * with the top bit, too.
 */
export const x25519_small_order: readonly string[] = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  field_prime - 1n,
  field_prime,
  field_prime + 1n,
].flatMap((u) => [hex(littleEndian(u)), hex(littleEndian(u + top_bit))]);

/** The eight points of small order of Ed25519, as RFC 8032 writes them. */
export const ed25519_small_order: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

/** The other ways to write four of them: y + p, or a sign on x = 0. */
export const ed25519_small_order_other_forms: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000080',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

const words = (value: Uint8Array) => new Uint32Array(value.slice().buffer);

/** A sealed box by noble: as `sealTo`, but taking the shared secret as given, so that a forger's box can be made, too. */
export function boxByNoble(
  ephemeral_public_key: Uint8Array,
  public_key: Uint8Array,
  shared_secret: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const key = new Uint32Array(8);
  hsalsa(words(utf8('expand 32-byte k')), words(shared_secret), new Uint32Array(4), key);
  const nonce = blake2b(joined(ephemeral_public_key, public_key), { dkLen: 24 });
  const box = xsalsa20poly1305(new Uint8Array(key.buffer), nonce).encrypt(message);
  return joined(ephemeral_public_key, box);
}

/** `sealTo` by noble. */
export function sealToByNoble(public_key: Uint8Array, message: Uint8Array, ephemeral_secret: Uint8Array) {
  const shared_secret = x25519.getSharedSecret(ephemeral_secret, public_key);
  return boxByNoble(x25519.getPublicKey(ephemeral_secret), public_key, shared_secret, message);
}
