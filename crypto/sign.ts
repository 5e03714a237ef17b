/**
 * Ed25519 (RFC 8032): who wrote something. The secret lives in locked memory and never leaves it; verifying is strict,
 * so that one message has one signature per key: canonical S, no small-order keys, exact lengths.
 */

import { wipe } from './bytes.ts';
import { sodium } from './sodium.ts';

const seed_bytes = 32;
const public_key_bytes = 32;
const secret_key_bytes = 64;
const signature_bytes = 64;
const x25519_key_bytes = 32;

export interface X25519KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export interface Signer {
  /** 32 bytes, Ed25519. */
  readonly public_key: Uint8Array;
  /** The 64-byte signature of `message`. Throws after `destroy`. */
  sign(message: Uint8Array): Uint8Array;
  /** The same key in X25519 form, for Noise. It belongs to the signer, which wipes it on `destroy`. */
  dh_keypair(): X25519KeyPair;
  /** Wipes the secrets. The signer is of no use afterwards. */
  destroy(): void;
}

/**
 * The signer of a 32-byte seed. The caller keeps the seed, and wipes it.
 * @throws RangeError for another length
 */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== seed_bytes)
    throw new RangeError(`Expected a seed of ${seed_bytes} bytes, got ${seed.length}`);
  const public_key = new Uint8Array(public_key_bytes);
  const secret_key = sodium.sodium_malloc(secret_key_bytes);
  sodium.crypto_sign_seed_keypair(public_key, secret_key, seed);

  const dh_public_key = new Uint8Array(x25519_key_bytes);
  const dh_secret_key = sodium.sodium_malloc(x25519_key_bytes);
  sodium.crypto_sign_ed25519_pk_to_curve25519(dh_public_key, public_key);
  sodium.crypto_sign_ed25519_sk_to_curve25519(dh_secret_key, secret_key);

  let destroyed = false;
  // A wiped key would still sign, with a secret that everyone knows.
  const requireAlive = () => {
    if (destroyed) throw new Error('Expected a live signer, but it was destroyed');
  };

  return {
    public_key,
    sign(message) {
      requireAlive();
      const signature = new Uint8Array(signature_bytes);
      sodium.crypto_sign_detached(signature, message, secret_key);
      return signature;
    },
    dh_keypair() {
      requireAlive();
      return { publicKey: dh_public_key, secretKey: dh_secret_key };
    },
    destroy() {
      destroyed = true;
      wipe(secret_key, dh_secret_key);
    },
  };
}

/** Locked memory for one signature at a time: to lock some for each would soon use up what the system gives, since only the collector frees it. */
const scratch = { secret_key: sodium.sodium_malloc(secret_key_bytes) };

function withSecretKey<T>(seed: Uint8Array, use: (secret_key: Uint8Array, public_key: Uint8Array) => T): T {
  if (seed.length !== seed_bytes)
    throw new RangeError(`Expected a seed of ${seed_bytes} bytes, got ${seed.length}`);
  const public_key = new Uint8Array(public_key_bytes);
  sodium.crypto_sign_seed_keypair(public_key, scratch.secret_key, seed);
  try {
    return use(scratch.secret_key, public_key);
  } finally {
    wipe(scratch.secret_key);
  }
}

/**
 * One signature with a seed, for callers that sign now and then and keep no signer. The caller keeps the seed, and wipes it.
 * @returns 64 bytes
 * @throws RangeError for a seed of another length
 */
export function signOnce(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return withSecretKey(seed, (secret_key) => {
    const signature = new Uint8Array(signature_bytes);
    sodium.crypto_sign_detached(signature, message, secret_key);
    return signature;
  });
}

/** The Ed25519 public key, 32 bytes, of a seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return withSecretKey(seed, (_secret_key, public_key) => public_key);
}

/** Whether `signature` is of `message` by `public_key`. Anything malformed is false; never throws. */
export function verify(signature: Uint8Array, message: Uint8Array, public_key: Uint8Array): boolean {
  for (const bytes of [signature, message, public_key]) if (!(bytes instanceof Uint8Array)) return false;
  if (signature.length !== signature_bytes || public_key.length !== public_key_bytes) return false;
  // The library answers undefined, and throws nothing, for memory that it cannot read.
  return sodium.crypto_sign_verify_detached(signature, message, public_key) === true;
}

/**
 * The X25519 form of an Ed25519 public key, or null if it is none (wrong length, not on the curve, small order).
 * A key and its negative have the same form, so a form alone never names a device.
 */
export function x25519PublicKey(ed25519_public_key: Uint8Array): Uint8Array | null {
  if (ed25519_public_key.length !== public_key_bytes) return null;
  const output = new Uint8Array(x25519_key_bytes);
  try {
    sodium.crypto_sign_ed25519_pk_to_curve25519(output, ed25519_public_key);
  } catch {
    return null; // its only failure with right lengths: not a usable point
  }
  return output;
}
