/**
 * Who is at the other end, and a secret channel to exactly that device: Noise XXpsk0 (noiseprotocol.org, revision 34)
 * with X25519, ChaCha20-Poly1305 and BLAKE2b, over any connection. The pre-shared key comes from the network's id, so
 * that whoever does not know the network gets no answer at all; the static keys are the devices' own keys.
 *
 * First message: version (1) ‖ salt (16) ‖ hint (32) ‖ Noise message 1. The hint names network and wanted device to
 * those who know both. These 49 bytes are the prologue. Messages 2 and 3 carry the sender's Ed25519 device key, which
 * must convert to the very static key that Noise authenticated.
 */

import NoiseState from 'noise-handshake';
import type { Random, Timers } from '../core/clock.ts';
import type { Connection } from '../core/transport.ts';
import { randomBytes, sameBytes, wipe } from '../crypto/bytes.ts';
import { keyedHash } from '../crypto/hash.ts';
import { type Signer, x25519PublicKey } from '../crypto/sign.ts';
import { converse, handshakeFailed } from './handshake.ts';
import { transport_limits } from './limits.ts';
import { openSession, type SecureSession } from './secure-session.ts';

export type { SecureSession } from './secure-session.ts';

/** One of our own identities: a device is a member of a network. */
export interface LocalDevice {
  /** 32 bytes, known to members only. */
  readonly network_id: Uint8Array;
  readonly signer: Signer;
}

export interface HandshakeOptions {
  /** For the whole handshake, 5000 unless said. */
  readonly timeout_ms?: number;
  /** Until the other side's first message: as long as the whole for the initiator, who waits for an answer; 2000 for the responder. */
  readonly silent_ms?: number;
  /** The responder's: told once, as soon as the first message has named one of our devices and shown that it knows the network. */
  readonly on_named?: () => void;
  /** Makes a handshake repeatable. The system's randomness unless given. */
  readonly random?: Random;
  /** The system's unless given. */
  readonly timers?: Pick<Timers, 'set'>;
}

const version = 1;
const salt_bytes = 16;
const hint_bytes = 32;
const prologue_bytes = 1 + salt_bytes + hint_bytes;
const seed_bytes = 32;
const system_random: Random = { bytes: randomBytes };
const system_timers: Pick<Timers, 'set'> = {
  set: (run, delay_ms) => {
    const timer = setTimeout(run, delay_ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Opens a session with `wanted_device` in the network of `local`. Must be called in the turn in which the connection
 * was handed over.
 * @param wanted_device Ed25519 public key, 32 bytes
 * @throws SottoError `wrong_device`, `device_mismatch`, `bad_handshake`, `handshake_timeout`, or the connection's own
 *   reason for closing; the connection is closed then
 */
export function secureInitiator(
  connection: Connection,
  local: LocalDevice,
  wanted_device: Uint8Array,
  options: HandshakeOptions = {},
): Promise<SecureSession> {
  const random = options.random ?? system_random;
  const salt = random.bytes(salt_bytes);
  const prologue = concatenate(
    new Uint8Array([version]),
    salt,
    hintFor(local.network_id, salt, wanted_device),
  );
  const noise = startNoise(true, local, prologue, random);

  const timeout_ms = options.timeout_ms ?? transport_limits.handshake_ms;
  const timers = options.timers ?? system_timers;
  const patience = { timeout_ms, silent_ms: options.silent_ms ?? timeout_ms, timers };
  const session = converse(connection, patience, (message) => {
    const remote_device = receiveDevice(noise, message);
    if (!sameBytes(remote_device, wanted_device))
      throw handshakeFailed('wrong_device', 'the device that was dialled');
    connection.send(noise.send(local.signer.public_key));
    return finish(connection, noise, local, remote_device);
  });
  connection.send(concatenate(prologue, noise.send()));
  return session.catch((error) => {
    forget(noise);
    throw error;
  });
}

/**
 * Answers a session as whichever of our identities is wanted. Must be called in the turn in which the connection was
 * handed over.
 * @param find our identities at this moment; asked once, when the first message is there
 * @throws SottoError `silent`, `unknown_version`, `unknown_hint`, `device_mismatch`, `bad_handshake`, `handshake_timeout`,
 *   or the connection's own reason for closing; the connection is closed then, without an answer
 */
export function secureResponder(
  connection: Connection,
  find: () => Iterable<LocalDevice>,
  options: HandshakeOptions = {},
): Promise<SecureSession> {
  let begun: { noise: NoiseState; local: LocalDevice } | null = null;
  const timeout_ms = options.timeout_ms ?? transport_limits.handshake_ms;
  const timers = options.timers ?? system_timers;
  const patience = { timeout_ms, silent_ms: options.silent_ms ?? transport_limits.silent_ms, timers };

  const session = converse(connection, patience, (message) => {
    if (begun !== null) {
      return finish(connection, begun.noise, begun.local, receiveDevice(begun.noise, message));
    }
    if (message[0] !== version) throw handshakeFailed('unknown_version', `version ${version}`);
    const prologue = message.subarray(0, prologue_bytes);
    const local = wantedIdentity(prologue, find());
    if (local === null) throw handshakeFailed('unknown_hint', 'one of our devices to be wanted');
    begun = { local, noise: startNoise(false, local, prologue, options.random ?? system_random) };
    receive(begun.noise, message.subarray(prologue_bytes));
    options.on_named?.();
    connection.send(begun.noise.send(local.signer.public_key));
    return null;
  });
  return session.catch((error) => {
    if (begun !== null) forget(begun.noise);
    throw error;
  });
}

function hintFor(network_id: Uint8Array, salt: Uint8Array, device: Uint8Array): Uint8Array {
  return keyedHash(network_id, 'sotto hint v1', salt, device);
}

function wantedIdentity(prologue: Uint8Array, identities: Iterable<LocalDevice>): LocalDevice | null {
  const salt = prologue.subarray(1, 1 + salt_bytes);
  const hint = prologue.subarray(1 + salt_bytes);
  for (const local of identities) {
    if (sameBytes(hint, hintFor(local.network_id, salt, local.signer.public_key))) return local;
  }
  return null;
}

function startNoise(
  initiator: boolean,
  local: LocalDevice,
  prologue: Uint8Array,
  random: Random,
): NoiseState {
  const psk = keyedHash(local.network_id, 'sotto noise psk v1');
  const noise = new NoiseState('XXpsk0', initiator, local.signer.dh_keypair(), { psk });
  noise.initialise(prologue);
  const seed = random.bytes(seed_bytes);
  noise.e = noise.curve.generateSeedKeyPair(seed);
  wipe(seed);
  return noise;
}

/** The payload of a handshake message, in fresh memory. */
function receive(noise: NoiseState, message: Uint8Array): Uint8Array {
  try {
    return Uint8Array.from(noise.recv(message));
  } catch (cause) {
    throw handshakeFailed('bad_handshake', 'a handshake message of this network', cause);
  }
}

/** The device key that a handshake message carries, after seeing that it is the key Noise authenticated. */
function receiveDevice(noise: NoiseState, message: Uint8Array): Uint8Array {
  const device = receive(noise, message);
  const static_key = x25519PublicKey(device);
  if (static_key === null || noise.rs === null || !sameBytes(static_key, noise.rs)) {
    throw handshakeFailed('device_mismatch', "the device's key to be the key it proved to hold");
  }
  return device;
}

function finish(
  connection: Connection,
  noise: NoiseState,
  local: LocalDevice,
  remote_device: Uint8Array,
): SecureSession {
  const facts = {
    network_id: local.network_id,
    local_device: local.signer.public_key,
    remote_device,
    handshake_hash: Uint8Array.from(noise.hash!),
  };
  const session = openSession(connection, facts, { send: noise.tx!, receive: noise.rx! });
  wipe(noise.tx!, noise.rx!);
  return session;
}

/** The library wipes its secrets only when a handshake succeeds. */
function forget(noise: NoiseState): void {
  for (const secret of [noise.e?.secretKey, noise.chainingKey, noise.key, noise.tx, noise.rx]) {
    if (secret) wipe(secret);
  }
}

function concatenate(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
