/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): what was sealed under a key opens under that key, unchanged, beside the
 * same nonce and associated data, or not at all. A nonce must never serve two messages under one key; it is long enough
 * to be drawn at random. The cipher does not commit to its key: who knows two keys can make bytes that open under both.
 */

import { sodium } from './sodium.ts';

export const seal_key_bytes = 32;
export const seal_nonce_bytes = 24;

/** What sealing adds to a message, in bytes. */
export const seal_bytes = 16;

/** Keys and nonces are ours: a wrong length is a bug, never something that another peer sent. */
function requireLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== seal_key_bytes)
    throw new RangeError(`Expected a key of ${seal_key_bytes} bytes, got ${key.length}`);
  if (nonce.length !== seal_nonce_bytes)
    throw new RangeError(`Expected a nonce of ${seal_nonce_bytes} bytes, got ${nonce.length}`);
}

/**
 * @param associated_data not sealed, but needed unchanged to open
 * @returns the message, encrypted, then its tag: `seal_bytes` longer
 * @throws RangeError for a key or nonce of another length
 */
export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  message: Uint8Array,
  associated_data: Uint8Array,
): Uint8Array {
  requireLengths(key, nonce);
  const sealed = new Uint8Array(message.length + seal_bytes);
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, message, associated_data, null, nonce, key);
  return sealed;
}

/**
 * The message, or null for anything that `seal` did not give for this key, nonce and associated data.
 * @throws RangeError for a key or nonce of another length; never for what `sealed` is
 */
export function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated_data: Uint8Array,
): Uint8Array | null {
  requireLengths(key, nonce);
  if (!(sealed instanceof Uint8Array) || sealed.length < seal_bytes) return null;
  const message = new Uint8Array(sealed.length - seal_bytes);
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(message, null, sealed, associated_data, nonce, key);
  } catch {
    return null; // its only failure with right lengths: not authentic
  }
  return message;
}
