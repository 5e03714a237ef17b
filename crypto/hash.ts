/** BLAKE2b with 32-byte results: plain for content, keyed for everything that only those who know a key may compute. */

import { sodium } from './sodium.ts';

const hash_bytes = 32;
const separator = new Uint8Array([0]);
const utf8 = new TextEncoder();

/**
 * BLAKE2b-256 (RFC 7693) of the parts, one after the other. Where the parts end is not hashed: callers give parts of
 * fixed length, or encode them first.
 * @returns 32 bytes
 */
export function blake2b256(...parts: Uint8Array[]): Uint8Array {
  const output = new Uint8Array(hash_bytes);
  sodium.crypto_generichash_batch(output, parts);
  return output;
}

/**
 * BLAKE2b-256 under a key, of `label`, a NUL byte and the parts. The label keeps the uses of one key apart.
 * @param key 16 to 64 bytes
 * @param label what the result is for; without NUL, so that no two labels can run into each other's parts
 * @returns 32 bytes
 * @throws RangeError for a key or label that is not as said
 */
export function keyedHash(key: Uint8Array, label: string, ...parts: Uint8Array[]): Uint8Array {
  if (key.length < 16 || key.length > 64)
    throw new RangeError(`Expected a key of 16 to 64 bytes, got ${key.length}`);
  if (label.includes('\0')) throw new RangeError('Expected a label without NUL');
  const output = new Uint8Array(hash_bytes);
  sodium.crypto_generichash_batch(output, [utf8.encode(label), separator, ...parts], key);
  return output;
}

/**
 * SHA-256 (FIPS 180-4), for formats of others that ask for it; our own use BLAKE2b.
 * @returns 32 bytes
 */
export function sha256(message: Uint8Array): Uint8Array {
  const output = new Uint8Array(hash_bytes);
  sodium.crypto_hash_sha256(output, message);
  return output;
}
