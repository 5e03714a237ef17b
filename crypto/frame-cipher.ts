/**
 * Seals the frames of one direction of a session: ChaCha20-Poly1305 (RFC 8439) under a key used for nothing else, with
 * the frame's number as nonce. So a frame opens only as itself, unchanged, in its place. Counting up is all that keeps
 * nonces unique: a key must never serve two ciphers.
 */

import { wipe } from './bytes.ts';
import { sodium } from './sodium.ts';

const key_bytes = 32;
const nonce_bytes = 12;

/** What sealing adds to a frame, in bytes. */
export const seal_overhead_bytes = 16;

/** Frames under one key; then the session must be made anew. Far below where the cipher's bounds begin to matter. */
export const frames_per_key_max = 2 ** 32;

export interface FrameSealer {
  /** The next frame, sealed; 16 bytes longer. Null when the key is used up (`frames_per_key_max`) or destroyed. */
  seal(frame: Uint8Array): Uint8Array | null;
  destroy(): void;
}

export interface FrameOpener {
  /** The next frame, or null if it is not exactly the next one sealed; then nothing more can be opened. */
  open(sealed: Uint8Array): Uint8Array | null;
  destroy(): void;
}

/** Nonces as in Noise: four zero bytes, then the count as 64 bits, little end first. */
function nonceCounter(first: number): () => Uint8Array | null {
  let count = first;
  const nonce = new Uint8Array(nonce_bytes);
  const view = new DataView(nonce.buffer);
  return () => {
    if (count >= frames_per_key_max) return null;
    view.setBigUint64(4, BigInt(count), true);
    count += 1;
    return nonce;
  };
}

function ownKey(key: Uint8Array): Uint8Array {
  if (key.length !== key_bytes)
    throw new RangeError(`Expected a key of ${key_bytes} bytes, got ${key.length}`);
  const own_key = sodium.sodium_malloc(key_bytes);
  own_key.set(key);
  return own_key;
}

/**
 * @param key 32 bytes; copied into locked memory, so that the caller can wipe its own
 * @param first_frame number of the first frame; only tests begin elsewhere than at 0
 */
export function frameSealer(key: Uint8Array, first_frame = 0): FrameSealer {
  const own_key = ownKey(key);
  const nextNonce = nonceCounter(first_frame);
  let usable = true;
  return {
    seal(frame) {
      const nonce = usable ? nextNonce() : null;
      if (nonce === null) return null;
      const sealed = new Uint8Array(frame.length + seal_overhead_bytes);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, frame, null, null, nonce, own_key);
      return sealed;
    },
    destroy() {
      usable = false;
      wipe(own_key);
    },
  };
}

/** @see frameSealer for the parameters, which must be the sealer's. */
export function frameOpener(key: Uint8Array, first_frame = 0): FrameOpener {
  const own_key = ownKey(key);
  const nextNonce = nonceCounter(first_frame);
  let usable = true;
  return {
    open(sealed) {
      const nonce = usable && sealed.length >= seal_overhead_bytes ? nextNonce() : null;
      usable = nonce !== null;
      if (nonce === null) return null;
      const frame = new Uint8Array(sealed.length - seal_overhead_bytes);
      try {
        sodium.crypto_aead_chacha20poly1305_ietf_decrypt(frame, null, sealed, null, nonce, own_key);
      } catch {
        usable = false; // its only failure with right lengths: not authentic
        return null;
      }
      return frame;
    },
    destroy() {
      usable = false;
      wipe(own_key);
    },
  };
}
