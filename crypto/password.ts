/**
 * Argon2id (RFC 9106, one lane): a key out of a passphrase, at a price that makes guessing it dear. Algorithm and costs
 * are named here rather than taken as the library's defaults: a key must come out the same after every update.
 */

import { sodium } from './sodium.ts';

const derived_key_bytes = 32;
const salt_bytes = 16;

/** The least that the library takes. */
const operations_min = 1;
const memory_bytes_min = 8192;

interface PasswordCost {
  /** Passes over the memory. */
  readonly operations: number;
  /** Held while deriving; whole KiB count. */
  readonly memory_bytes: number;
}

/**
 * libsodium's INTERACTIVE: 64 MiB and about 50 ms where it was measured, for which the calling thread stands still. Where
 * a guess must cost more: MODERATE is 3 operations over 256 MiB (350 ms there), SENSITIVE 4 over 1 GiB (3 s).
 */
export const interactive_cost: PasswordCost = { operations: 2, memory_bytes: 64 * 1024 * 1024 };

/**
 * The key of a passphrase. The same three arguments give the same key, so salt and cost are kept beside what the key
 * protects; neither is secret. A cost that others can write must be bounded by the caller.
 * @param passphrase bytes as they are: the caller has normalized the text, and wipes them
 * @param salt 16 random bytes, of this passphrase alone
 * @returns 32 bytes, which the caller wipes
 * @throws RangeError for a salt of another length and for costs below the least (1 operation, 8 KiB)
 * @throws Error where the memory is not to be had
 */
export function deriveKey(passphrase: Uint8Array, salt: Uint8Array, cost = interactive_cost): Uint8Array {
  if (salt.length !== salt_bytes)
    throw new RangeError(`Expected a salt of ${salt_bytes} bytes, got ${salt.length}`);
  const { operations, memory_bytes } = cost;
  if (!Number.isSafeInteger(operations) || operations < operations_min)
    throw new RangeError(`Expected at least ${operations_min} operation, got ${operations}`);
  if (!Number.isSafeInteger(memory_bytes) || memory_bytes < memory_bytes_min)
    throw new RangeError(`Expected at least ${memory_bytes_min} bytes of memory, got ${memory_bytes}`);
  const key = new Uint8Array(derived_key_bytes);
  const algorithm = sodium.crypto_pwhash_ALG_ARGON2ID13;
  sodium.crypto_pwhash(key, passphrase, salt, operations, memory_bytes, algorithm);
  return key;
}
