/**
 * Our layer over sodium-native, libsodium for WebAssembly, and noble agree on any input: on what they make,
 * and on what they refuse once a bit of it was changed.
 */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { sha256 as sha256ByNoble } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxKeyPairFromSecret, openSealed, sealTo } from './box.ts';
import { blake2b256, keyedHash, sha256 } from './hash.ts';
import { answerOf, flipped, joined, sealToByNoble, utf8, wasm } from './others.testing.ts';
import { seal, unseal } from './seal.ts';
import { signerFromSeed, verify } from './sign.ts';
import { sodium } from './sodium.ts';

const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const secret = exactly(32);
const message = fc.uint8Array({ maxLength: 300 });
/** Which bit to change; taken modulo how many there are. */
const any_bit = fc.nat();
const changed = (value: Uint8Array, bit: number) => flipped(value, bit % (value.length * 8));

test('Ed25519: the same keys and signatures, taken by all, and refused by all with a bit changed', () => {
  fc.assert(
    fc.property(secret, message, any_bit, any_bit, (seed, text, signature_bit, key_bit) => {
      const signer = signerFromSeed(seed);
      const pair = wasm.crypto_sign_seed_keypair(seed);
      expect(signer.public_key).toEqual(pair.publicKey);
      expect(signer.public_key).toEqual(ed25519.getPublicKey(seed));

      const signature = signer.sign(text);
      expect(signature).toEqual(wasm.crypto_sign_detached(text, pair.privateKey));
      expect(signature).toEqual(ed25519.sign(text, seed));

      const verdicts = (candidate: Uint8Array, key: Uint8Array) => [
        verify(candidate, text, key),
        answerOf(() => wasm.crypto_sign_verify_detached(candidate, text, key)) === true,
        answerOf(() => ed25519.verify(candidate, text, key, { zip215: false })) === true,
      ];
      expect(verdicts(signature, signer.public_key)).toEqual([true, true, true]);
      expect(verdicts(changed(signature, signature_bit), signer.public_key)).toEqual([false, false, false]);
      expect(verdicts(signature, changed(signer.public_key, key_bit))).toEqual([false, false, false]);
      signer.destroy();
    }),
    { numRuns: 150 },
  );
});

test('X25519: the same public keys, and the same shared secret for both sides and for any public key', () => {
  const multiply = (scalar: Uint8Array, point: Uint8Array) => {
    const shared = new Uint8Array(32);
    sodium.crypto_scalarmult(shared, scalar, point);
    return shared;
  };
  fc.assert(
    fc.property(secret, secret, exactly(32), (alice, bob, any_point) => {
      const { public_key } = boxKeyPairFromSecret(alice);
      expect(public_key).toEqual(wasm.crypto_scalarmult_base(alice));
      expect(public_key).toEqual(x25519.getPublicKey(alice));
      expect(multiply(bob, public_key)).toEqual(multiply(alice, boxKeyPairFromSecret(bob).public_key));
      const shared = answerOf(() => multiply(alice, any_point));
      expect(shared).toEqual(answerOf(() => wasm.crypto_scalarmult(alice, any_point)));
      expect(shared).toEqual(answerOf(() => x25519.getSharedSecret(alice, any_point)));
    }),
    { numRuns: 150 },
  );
});

test('XChaCha20-Poly1305: the same bytes, opened by all, and refused by all with a bit changed', () => {
  fc.assert(
    fc.property(secret, exactly(24), message, message, any_bit, (key, nonce, text, beside, bit) => {
      const sealed = seal(key, nonce, text, beside);
      expect(sealed).toEqual(wasm.crypto_aead_xchacha20poly1305_ietf_encrypt(text, beside, null, nonce, key));
      expect(sealed).toEqual(xchacha20poly1305(key, nonce, beside).encrypt(text));

      const opened = (candidate: Uint8Array, associated_data: Uint8Array) => [
        unseal(key, nonce, candidate, associated_data),
        answerOf(() =>
          wasm.crypto_aead_xchacha20poly1305_ietf_decrypt(null, candidate, associated_data, nonce, key),
        ),
        answerOf(() => xchacha20poly1305(key, nonce, associated_data).decrypt(candidate)),
      ];
      expect(opened(sealed, beside)).toEqual([text, text, text]);
      expect(opened(changed(sealed, bit), beside)).toEqual([null, null, null]);
      expect(opened(sealed, joined(beside, new Uint8Array(1)))).toEqual([null, null, null]);
    }),
    { numRuns: 300 },
  );
});

test('sealed boxes: the same bytes as noble, opened by libsodium, and refused by both with a bit changed', () => {
  fc.assert(
    fc.property(secret, secret, message, any_bit, (recipient, ephemeral, text, bit) => {
      const { public_key } = boxKeyPairFromSecret(recipient);
      const box = sealTo(public_key, text, ephemeral)!;
      expect(box).toEqual(sealToByNoble(public_key, text, ephemeral));
      const opened = (candidate: Uint8Array) => [
        openSealed(candidate, recipient),
        answerOf(() => wasm.crypto_box_seal_open(candidate, public_key, recipient)),
      ];
      expect(opened(box)).toEqual([text, text]);
      expect(opened(wasm.crypto_box_seal(text, public_key))).toEqual([text, text]);
      expect(opened(changed(box, bit))).toEqual([null, null]);
    }),
    { numRuns: 150 },
  );
});

test('BLAKE2b-256, plain and keyed, and SHA-256: the same digests', () => {
  const key = fc.uint8Array({ minLength: 16, maxLength: 64 });
  const label = fc.string({ maxLength: 40 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(message, message, key, label, (left, right, hash_key, name) => {
      const whole = joined(left, right);
      const digest = blake2b256(left, right);
      expect(digest).toEqual(wasm.crypto_generichash(32, whole, null));
      expect(digest).toEqual(blake2b(whole, { dkLen: 32 }));

      const labelled = joined(utf8(name), new Uint8Array(1), whole);
      const keyed = keyedHash(hash_key, name, left, right);
      expect(keyed).toEqual(wasm.crypto_generichash(32, labelled, hash_key));
      expect(keyed).toEqual(blake2b(labelled, { dkLen: 32, key: hash_key }));

      expect(sha256(whole)).toEqual(sha256ByNoble(whole));
    }),
    { numRuns: 300 },
  );
});
