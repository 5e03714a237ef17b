/**
 * Sealed boxes: a message that only the owner of an X25519 key can read, from nobody in particular. In the format of
 * libsodium's `crypto_box_seal`: ephemeral public key (32 bytes), then XSalsa20-Poly1305 of the message, under X25519
 * of both keys, with BLAKE2b-24 of both public keys as nonce. Unlike there the ephemeral secret is given, so that a
 * simulation is repeatable. Shared secrets exist inside the library only, and nothing secret is copied here.
 */

import { sodium } from './sodium.ts';

const key_bytes = 32;
const nonce_bytes = 24;
const tag_bytes = 16;

/** What sealing adds to a message, in bytes. */
export const box_overhead_bytes = key_bytes + tag_bytes;

function requireSecret(secret: Uint8Array): void {
  if (secret.length !== key_bytes)
    throw new RangeError(`Expected a secret of ${key_bytes} bytes, got ${secret.length}`);
}

/** Both keys in it, so that a box opens for no other key and with no other ephemeral one, however either is written. */
function boxNonce(ephemeral_public_key: Uint8Array, public_key: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(nonce_bytes);
  sodium.crypto_generichash_batch(nonce, [ephemeral_public_key, public_key]);
  return nonce;
}

/**
 * The public key (32 bytes) of a secret.
 * @param secret 32 random bytes, the X25519 scalar before clamping. The caller keeps them, and wipes them
 * @throws RangeError for another length
 */
export function boxKeyPairFromSecret(secret: Uint8Array): { readonly public_key: Uint8Array } {
  requireSecret(secret);
  const public_key = new Uint8Array(key_bytes);
  sodium.crypto_scalarmult_base(public_key, secret);
  return { public_key };
}

/**
 * The message, sealed; `box_overhead_bytes` longer. Null where `public_key` is not usable: another length, or a point of
 * small order, with which everyone would know the shared secret.
 * @param ephemeral_secret 32 random bytes for this box alone, which the caller wipes. Who has them can read the box; two
 * boxes to one key from the same secret give away both messages
 * @throws RangeError for an ephemeral secret of another length
 */
export function sealTo(
  public_key: Uint8Array,
  message: Uint8Array,
  ephemeral_secret: Uint8Array,
): Uint8Array | null {
  const ephemeral = boxKeyPairFromSecret(ephemeral_secret);
  if (public_key.length !== key_bytes) return null;
  const nonce = boxNonce(ephemeral.public_key, public_key);
  const sealed = new Uint8Array(message.length + box_overhead_bytes);
  sealed.set(ephemeral.public_key);
  try {
    sodium.crypto_box_easy(sealed.subarray(key_bytes), message, nonce, public_key, ephemeral_secret);
  } catch {
    return null; // its only failure with right lengths: a point of small order
  }
  return sealed;
}

/**
 * The message, or null for anything that was not sealed to the key of `secret`. Never throws for what `sealed` is.
 * @throws RangeError for a secret of another length
 */
export function openSealed(sealed: Uint8Array, secret: Uint8Array): Uint8Array | null {
  const { public_key } = boxKeyPairFromSecret(secret);
  if (!(sealed instanceof Uint8Array) || sealed.length < box_overhead_bytes) return null;
  const ephemeral_public_key = sealed.subarray(0, key_bytes);
  const nonce = boxNonce(ephemeral_public_key, public_key);
  const message = new Uint8Array(sealed.length - box_overhead_bytes);
  const box = sealed.subarray(key_bytes);
  // False also for an ephemeral key of small order: the library refuses to multiply with it.
  const opened = sodium.crypto_box_open_easy(message, box, nonce, ephemeral_public_key, secret);
  return opened === true ? message : null;
}
