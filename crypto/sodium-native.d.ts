/** The part of sodium-native that this project uses. The package carries no types of its own. Every call throws on failure. */
declare module 'sodium-native' {
  interface Sodium {
    /** Locked, guarded memory, zeroed when collected. */
    sodium_malloc(length: number): Uint8Array;
    sodium_memzero(bytes: Uint8Array): void;
    /** Constant time; both of one length. */
    sodium_memcmp(left: Uint8Array, right: Uint8Array): boolean;
    randombytes_buf(output: Uint8Array): void;
    crypto_generichash_batch(output: Uint8Array, parts: Uint8Array[], key?: Uint8Array): void;
    crypto_hash_sha256(output: Uint8Array, message: Uint8Array): void;
    crypto_sign_seed_keypair(public_key: Uint8Array, secret_key: Uint8Array, seed: Uint8Array): void;
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secret_key: Uint8Array): void;
    /** Not always a boolean: compare with `=== true`. */
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      public_key: Uint8Array,
    ): boolean | undefined;
    crypto_sign_ed25519_pk_to_curve25519(x25519: Uint8Array, ed25519: Uint8Array): void;
    crypto_sign_ed25519_sk_to_curve25519(x25519: Uint8Array, ed25519: Uint8Array): void;
    crypto_aead_chacha20poly1305_ietf_encrypt(
      output: Uint8Array,
      message: Uint8Array,
      associated_data: Uint8Array | null,
      secret_nonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    crypto_aead_chacha20poly1305_ietf_decrypt(
      output: Uint8Array,
      secret_nonce: null,
      ciphertext: Uint8Array,
      associated_data: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      output: Uint8Array,
      message: Uint8Array,
      associated_data: Uint8Array | null,
      secret_nonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      output: Uint8Array,
      secret_nonce: null,
      ciphertext: Uint8Array,
      associated_data: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws for a point of small order. */
    crypto_scalarmult(shared: Uint8Array, secret: Uint8Array, public_key: Uint8Array): void;
    crypto_scalarmult_base(public_key: Uint8Array, secret: Uint8Array): void;
    /** Throws for a public key of small order. */
    crypto_box_easy(
      output: Uint8Array,
      message: Uint8Array,
      nonce: Uint8Array,
      public_key: Uint8Array,
      secret_key: Uint8Array,
    ): void;
    /** Unlike the AEADs it answers false where it fails. */
    crypto_box_open_easy(
      output: Uint8Array,
      ciphertext: Uint8Array,
      nonce: Uint8Array,
      public_key: Uint8Array,
      secret_key: Uint8Array,
    ): boolean;
    readonly crypto_pwhash_ALG_ARGON2ID13: number;
    crypto_pwhash(
      output: Uint8Array,
      passphrase: Uint8Array,
      salt: Uint8Array,
      operations: number,
      memory_bytes: number,
      algorithm: number,
    ): void;
  }
  const sodium: Sodium;
  export default sodium;
}
