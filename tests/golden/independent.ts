/**
 * The protocol once more, written from docs/protocol.md with other libraries (noble for all cryptography, cborg for CBOR) and without a line of
 * ours: what this and our own code make alike is what the document says.
 */
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decode as cborDecode, encode as cborEncode } from 'cborg';

export type Bytes = Uint8Array;

export const hex = (value: Bytes): string => Buffer.from(value).toString('hex');
export const bytes = (value: string): Bytes => new Uint8Array(Buffer.from(value, 'hex'));
export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
export const joined = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
export const hash = (...parts: Bytes[]): Bytes => blake2b(joined(...parts), { dkLen: 32 });
export const keyedHash = (key: Bytes, ...parts: Bytes[]): Bytes =>
  blake2b(joined(...parts), { dkLen: 32, key });

const big = (value: number, length: number): Bytes => bytes(value.toString(16).padStart(length * 2, '0'));

/** In the vectors a byte string is written as in CBOR's diagnostic notation: h'00ff'. */
export function fromVector(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromVector);
  if (typeof value === 'string') {
    const written = /^h'([0-9a-f]*)'$/.exec(value);
    return written === null ? value : bytes(written[1]!);
  }
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fromVector(inner)]));
  return value;
}

export const encode = (value: unknown): Bytes => new Uint8Array(cborEncode(value));
export const decode = (value: Bytes): unknown => cborDecode(value);

// --- events -------------------------------------------------------------------------------------------------------------------------------

export interface HeaderFields {
  readonly network: string | null;
  readonly group: string | null;
  readonly type: string | null;
  readonly author: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly key_commitment: string | null;
  readonly target: string | null;
  readonly target_expires_ms: number | null;
}

const orNull = (value: string | null) => (value === null ? null : bytes(value));

export function headerBytes(fields: HeaderFields, body_hash: Bytes): Bytes {
  return encode([
    1,
    orNull(fields.network),
    orNull(fields.group),
    fields.type,
    bytes(fields.author),
    fields.seq,
    orNull(fields.prev),
    fields.created_ms,
    fields.expires_ms,
    body_hash,
    orNull(fields.key_commitment),
    orNull(fields.target),
    fields.target_expires_ms,
  ]);
}

export function readHeader(header: Bytes): HeaderFields & { readonly body_hash: Bytes } {
  const list = decode(header) as unknown[];
  const id = (at: number) => (list[at] === null ? null : hex(list[at] as Bytes));
  return {
    network: id(1),
    group: id(2),
    type: list[3] as string | null,
    author: id(4)!,
    seq: list[5] as number,
    prev: id(6),
    created_ms: list[7] as number,
    expires_ms: list[8] as number,
    body_hash: list[9] as Bytes,
    key_commitment: id(10),
    target: id(11),
    target_expires_ms: list[12] as number | null,
  };
}

export const eventId = (created_ms: number, header: Bytes): Bytes =>
  joined(big(created_ms, 6), hash(header).subarray(0, 26));

export const publicKey = (seed: Bytes): Bytes => ed25519.getPublicKey(seed);
export const sign = (seed: Bytes, message: Bytes): Bytes => ed25519.sign(message, seed);
export const isSignedBy = (signature: Bytes, message: Bytes, key: Bytes): boolean =>
  ed25519.verify(signature, message, key, { zip215: false });

// --- sealed content -------------------------------------------------------------------------------------------------------------------------

export const commitment = (content_key: Bytes): Bytes => hash(utf8('sotto content key v1\0'), content_key);

export const associatedData = (fields: HeaderFields): Bytes => headerBytes(fields, new Uint8Array(32));

const body_nonce = new Uint8Array(24);
export const sealBody = (content_key: Bytes, fields: HeaderFields, plaintext: Bytes): Bytes =>
  xchacha20poly1305(content_key, body_nonce, associatedData(fields)).encrypt(plaintext);
export const openBody = (content_key: Bytes, fields: HeaderFields, sealed: Bytes): Bytes =>
  xchacha20poly1305(content_key, body_nonce, associatedData(fields)).decrypt(sealed);

const wrap_label = utf8('sotto wrap v1\0');
export const wrapNonce = (event_id: Bytes, key_id: Bytes): Bytes =>
  hash(wrap_label, event_id, key_id).subarray(0, 24);
export const wrap = (group_key: Bytes, event_id: Bytes, key_id: Bytes, content_key: Bytes): Bytes =>
  xchacha20poly1305(group_key, wrapNonce(event_id, key_id), wrap_label).encrypt(content_key);
export const unwrap = (group_key: Bytes, event_id: Bytes, key_id: Bytes, sealed: Bytes): Bytes =>
  xchacha20poly1305(group_key, wrapNonce(event_id, key_id), wrap_label).decrypt(sealed);

export const keyId = (group_key: Bytes, group: Bytes, channel: Bytes | null, expires_ms: number): Bytes =>
  keyedHash(
    group_key,
    utf8('sotto group key v1\0'),
    group,
    channel ?? new Uint8Array(32),
    big(expires_ms, 8),
  );

/** A sealed box as libsodium's `crypto_box_seal` makes it. */
const boxKey = (shared: Bytes): Bytes => {
  const words = (value: Bytes) => new Uint32Array(value.slice().buffer);
  const key = new Uint32Array(8);
  hsalsa(words(utf8('expand 32-byte k')), words(shared), new Uint32Array(4), key);
  return new Uint8Array(key.buffer);
};
const boxNonce = (ephemeral: Bytes, prekey: Bytes): Bytes =>
  blake2b(joined(ephemeral, prekey), { dkLen: 24 });

export const prekeyOf = (secret: Bytes): Bytes => x25519.getPublicKey(secret);
export function sealKey(prekey: Bytes, group_key: Bytes, ephemeral_secret: Bytes): Bytes {
  const ephemeral = x25519.getPublicKey(ephemeral_secret);
  const key = boxKey(x25519.getSharedSecret(ephemeral_secret, prekey));
  return joined(ephemeral, xsalsa20poly1305(key, boxNonce(ephemeral, prekey)).encrypt(group_key));
}
export function openKey(prekey_secret: Bytes, sealed: Bytes): Bytes {
  const ephemeral = sealed.subarray(0, 32);
  const key = boxKey(x25519.getSharedSecret(prekey_secret, ephemeral));
  return xsalsa20poly1305(key, boxNonce(ephemeral, prekeyOf(prekey_secret))).decrypt(sealed.subarray(32));
}

const hour_ms = 3_600_000;
const never_ms = 2 ** 53 - 1;
export function keyExpiry(now_ms: number, expires_ms: number): number {
  const classes = [1, 24, 7 * 24, 30 * 24, 365 * 24].map((hours) => hours * hour_ms);
  const fitting =
    expires_ms === never_ms ? undefined : classes.find((length) => expires_ms - now_ms <= length);
  if (fitting === undefined) return never_ms;
  const cell = fitting / 12;
  return Math.ceil((now_ms + fitting) / cell) * cell;
}

// --- joining, sync --------------------------------------------------------------------------------------------------------------------------

export const proofMessage = (network: Bytes, device: Bytes): Bytes =>
  joined(utf8('sotto invite proof v1\0'), network, device);

export const link = (prefix: string, fields: readonly unknown[]): string =>
  prefix + Buffer.from(encode(fields)).toString('base64url');

/** Most significant digit first, seven bits each. */
export function varint(value: number): Bytes {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) | 128);
  return Uint8Array.from(digits);
}

export function fingerprint(ids: readonly string[]): Bytes {
  const number = (id: string) => BigInt(`0x${hex(bytes(id).reverse())}`);
  const sum = ids.reduce((total, id) => (total + number(id)) % 2n ** 256n, 0n);
  return sha256(joined(bytes(sum.toString(16).padStart(64, '0')).reverse(), varint(ids.length))).subarray(
    0,
    16,
  );
}

/** One range over everything (a bound of time 0 and no prefix is "the end"), by fingerprint or by list. */
export const openingMessage = (ids: readonly string[]): Bytes => joined(bytes('61000001'), fingerprint(ids));
export const listingMessage = (ids: readonly string[]): Bytes =>
  joined(bytes('61000002'), varint(ids.length), ...ids.map(bytes));

// --- sessions: Noise_XXpsk0_25519_ChaChaPoly_BLAKE2b -----------------------------------------------------------------------------------------

export const hintFor = (network: Bytes, salt: Bytes, device: Bytes): Bytes =>
  keyedHash(network, utf8('sotto hint v1\0'), salt, device);
export const pskFor = (network: Bytes): Bytes => keyedHash(network, utf8('sotto noise psk v1\0'));

export const frameSeal = (key: Bytes, number: number, frame: Bytes): Bytes =>
  chacha20poly1305(key, frameNonce(number)).encrypt(packed(frame));
/** Byte strings of 32 bytes that stood before are pointed at. */
export function packed(frame: Bytes): Bytes {
  const out: number[] = [];
  const seen = new Map<string, number>();
  let run: number[] = [];
  const varint = (value: number): number[] =>
    value < 128
      ? [value]
      : [...varint(Math.floor(value / 128)).map((digit) => digit | 128), value % 128];
  for (let at = 0; at < frame.length; ) {
    run.push(frame[at]!);
    at += 1;
    if (frame[at - 1] !== 0x20 || frame[at - 2] !== 0x58 || at + 32 > frame.length) continue;
    const id = [...frame.subarray(at, at + 32)];
    const before = seen.get(id.join());
    seen.set(id.join(), at);
    if (before === undefined) run.push(...id);
    else {
      out.push(...varint(run.length), ...run, ...varint(at - before));
      run = [];
    }
    at += 32;
  }
  return Uint8Array.from([...out, ...varint(run.length), ...run]);
}
function frameNonce(number: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number), true);
  return nonce;
}

class Symmetric {
  #chaining: Bytes;
  #hash: Bytes;
  #key: Bytes = new Uint8Array(32);
  #number = 0;

  constructor(prologue: Bytes) {
    const name = new Uint8Array(64);
    name.set(utf8('Noise_XXpsk0_25519_ChaChaPoly_BLAKE2b'));
    this.#chaining = name;
    this.#hash = name;
    this.mixHash(prologue);
  }

  mixHash(data: Bytes): void {
    this.#hash = blake2b(joined(this.#hash, data));
  }

  #derive(input: Bytes, outputs: number): Bytes[] {
    const mac = (key: Bytes, data: Bytes) => hmac(blake2b, key, data);
    const secret = mac(this.#chaining, input);
    const all: Bytes[] = [];
    for (let at = 1; at <= outputs; at++)
      all.push(mac(secret, joined(all.at(-1) ?? new Uint8Array(0), Uint8Array.of(at))));
    return all;
  }

  mixKey(input: Bytes): void {
    const [chaining, key] = this.#derive(input, 2);
    this.#chaining = chaining!;
    this.#key = key!.subarray(0, 32);
    this.#number = 0;
  }

  mixKeyAndHash(input: Bytes): void {
    const [chaining, mixed, key] = this.#derive(input, 3);
    this.#chaining = chaining!;
    this.mixHash(mixed!);
    this.#key = key!.subarray(0, 32);
    this.#number = 0;
  }

  seal(plaintext: Bytes): Bytes {
    const sealed = chacha20poly1305(this.#key, frameNonce(this.#number), this.#hash).encrypt(plaintext);
    this.#number += 1;
    this.mixHash(sealed);
    return sealed;
  }

  split(): readonly [Bytes, Bytes] {
    const [first, second] = this.#derive(new Uint8Array(0), 2);
    return [first!.subarray(0, 32), second!.subarray(0, 32)];
  }
}

export interface Handshake {
  readonly messages: readonly [Bytes, Bytes, Bytes];
  /** Keys of the two directions: from the initiator, from the responder. */
  readonly keys: readonly [Bytes, Bytes];
}

/** The three messages between two devices, made by somebody who knows the secrets of both. */
export function handshake(
  network: Bytes,
  salt: Bytes,
  initiator: { readonly seed: Bytes; readonly ephemeral: Bytes },
  responder: { readonly seed: Bytes; readonly ephemeral: Bytes },
): Handshake {
  const dh = (secret: Bytes, key: Bytes) => x25519.getSharedSecret(secret, key);
  const [is, rs] = [initiator, responder].map(({ seed }) => ed25519.utils.toMontgomerySecret(seed));
  const [isp, rsp] = [initiator, responder].map(({ seed }) => ed25519.utils.toMontgomery(publicKey(seed)));
  const [iep, rep] = [initiator, responder].map(({ ephemeral }) => x25519.getPublicKey(ephemeral));
  const prologue = joined(Uint8Array.of(1), salt, hintFor(network, salt, publicKey(responder.seed)));
  const state = new Symmetric(prologue);
  const e = (key: Bytes) => {
    state.mixHash(key);
    state.mixKey(key);
    return key;
  };
  state.mixKeyAndHash(pskFor(network));
  const first = joined(prologue, e(iep!), state.seal(new Uint8Array(0)));
  const parts = [e(rep!)];
  state.mixKey(dh(responder.ephemeral, iep!));
  parts.push(state.seal(rsp!));
  state.mixKey(dh(rs!, iep!));
  parts.push(state.seal(publicKey(responder.seed)));
  const last = [state.seal(isp!)];
  state.mixKey(dh(is!, rep!));
  last.push(state.seal(publicKey(initiator.seed)));
  return { messages: [first, joined(...parts), joined(...last)], keys: state.split() };
}
