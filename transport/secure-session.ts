/**
 * An authenticated, encrypted session over a connection whose handshake is done. Each frame is one message, packed and then sealed under
 * its direction's key and its number; the first that is not exactly the next one ends the session. What can not be seen
 * is the loss of the last frames before the end: whoever needs to know that all arrived asks for an answer.
 */

import { SottoError } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import type { Connection } from '../core/transport.ts';
import { type FrameOpener, type FrameSealer, frameOpener, frameSealer } from '../crypto/frame-cipher.ts';
import { Inbox } from './inbox.ts';
import { pack, unpack } from './packing.ts';

export interface SecureSession {
  readonly network_id: Uint8Array;
  /** Ed25519 public keys, 32 bytes: ours, and the one that the other side has proved to hold. */
  readonly local_device: Uint8Array;
  readonly remote_device: Uint8Array;
  /** 64 bytes that only this session has, the same on both sides. */
  readonly handshake_hash: Uint8Array;
  /** Queues one frame. Ignored once closed: `on_close` tells. Throws `frame_too_large` above `limits.frame_bytes_max`. */
  send(frame: Uint8Array): void;
  /** Bytes queued here and not yet given to the network. */
  readonly buffered_bytes: number;
  close(reason?: string): void;
  /** Frames that arrive before this is set are held, within the limits of `Inbox`. */
  on_frame: (frame: Uint8Array) => void;
  /** Called exactly once, with `bad_frame`, `held_too_much`, `key_used_up`, our own reason or the connection's. */
  on_close: (reason: string) => void;
}

export type SessionFacts = Pick<
  SecureSession,
  'network_id' | 'local_device' | 'remote_device' | 'handshake_hash'
>;

class NoiseSession implements SecureSession {
  readonly network_id: Uint8Array;
  readonly local_device: Uint8Array;
  readonly remote_device: Uint8Array;
  readonly handshake_hash: Uint8Array;
  readonly #connection: Connection;
  readonly #sealer: FrameSealer;
  readonly #opener: FrameOpener;
  readonly #inbox = new Inbox();
  #open = true;

  constructor(connection: Connection, facts: SessionFacts, sealer: FrameSealer, opener: FrameOpener) {
    this.network_id = facts.network_id;
    this.local_device = facts.local_device;
    this.remote_device = facts.remote_device;
    this.handshake_hash = facts.handshake_hash;
    this.#connection = connection;
    this.#sealer = sealer;
    this.#opener = opener;
    connection.on_message = (message) => this.#receive(message);
    connection.on_close = (reason) => this.#end(reason, false);
  }

  set on_frame(receiver: (frame: Uint8Array) => void) {
    this.#inbox.on_message = receiver;
  }

  set on_close(receiver: (reason: string) => void) {
    this.#inbox.on_close = receiver;
  }

  get buffered_bytes(): number {
    return this.#connection.buffered_bytes;
  }

  send(frame: Uint8Array): void {
    if (!this.#open) return;
    // Before sealing: a number that is used for nothing looks to the other side like a stolen frame.
    if (frame.length > limits.frame_bytes_max) {
      throw new SottoError(
        'frame_too_large',
        `Expected at most ${limits.frame_bytes_max} bytes, got ${frame.length}`,
      );
    }
    const sealed = this.#sealer.seal(pack(frame));
    if (sealed === null) this.#end('key_used_up', false);
    else this.#connection.send(sealed);
  }

  close(reason = 'closed'): void {
    this.#end(reason, true);
  }

  #receive(message: Uint8Array): void {
    if (!this.#open) return;
    const packed = this.#opener.open(message);
    const frame = packed === null ? null : unpack(packed);
    // What came whole before the bad frame is true, and still delivered.
    if (frame === null) this.#end('bad_frame', false);
    else if (!this.#inbox.push(frame)) this.#end('held_too_much', true);
  }

  #end(reason: string, drop_held: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sealer.destroy();
    this.#opener.destroy();
    this.#connection.close(reason);
    this.#inbox.end(reason, drop_held);
  }
}

/** Takes over `connection`. The keys, 32 bytes each, are copied; the caller wipes its own. */
export function openSession(
  connection: Connection,
  facts: SessionFacts,
  keys: { send: Uint8Array; receive: Uint8Array },
): SecureSession {
  return new NoiseSession(connection, facts, frameSealer(keys.send), frameOpener(keys.receive));
}
