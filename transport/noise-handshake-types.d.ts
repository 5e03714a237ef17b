/** The part of noise-handshake that this project uses. The package carries no types of its own. */
declare module 'noise-handshake' {
  interface KeyPair {
    publicKey: Uint8Array;
    secretKey: Uint8Array;
  }

  export default class NoiseState {
    constructor(pattern: 'XXpsk0', initiator: boolean, static_keypair: KeyPair, options: { psk: Uint8Array });
    readonly curve: { generateSeedKeyPair(seed: Uint8Array): KeyPair };
    readonly complete: boolean;
    /** The ephemeral keypair; made by the library unless set before the first send. Null once complete. */
    e: KeyPair | null;
    /** The other side's static key, once it came. */
    readonly rs: Uint8Array | null;
    readonly chainingKey: Uint8Array | null;
    readonly key: Uint8Array | null;
    /** Keys of the two directions and the transcript's hash, once complete. */
    readonly rx: Uint8Array | null;
    readonly tx: Uint8Array | null;
    readonly hash: Uint8Array | null;
    initialise(prologue: Uint8Array): void;
    /** Both throw for whatever does not fit. */
    send(payload?: Uint8Array): Uint8Array;
    recv(message: Uint8Array): Uint8Array;
  }
}
