/**
 * Keeps a node in touch with its peers: accepts and dials connections, lets each prove who it is, takes lost ones up again, and carries frames
 * between sessions and the engine. Knows transports and timers only by their interfaces, so that a simulation runs this very code.
 *
 * One session at a time per peer: when both sides dial at once, the one that the lower device key began stays.
 */
import { placeOf, SottoError } from '../core/assert.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Engine } from '../core/engine.ts';
import type { Identity } from '../core/envelope.ts';
import { encodeFrame } from '../core/event-codec.ts';
import type { Id } from '../core/fields.ts';
import { limits } from '../core/limits.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Connection, Listener, Transport } from '../core/transport.ts';
import {
  type LocalDevice,
  type SecureSession,
  secureInitiator,
  secureResponder,
} from '../transport/noise.ts';

/** Timers as Node and browsers have them; a simulation brings its own. */
export interface Timers {
  set(run: () => void, delay_ms: number): () => void;
  /** Soon, after what waits already. */
  soon(run: () => void): void;
}

export interface SessionsPorts {
  readonly engine: Engine;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  /** The device key of an identity, kept open by the host. */
  readonly deviceOf: (identity: Identity) => LocalDevice | null;
  /** One line for the log: words and short ids, never content. */
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** First and longest pause before a peer is dialed again. */
const REDIAL_MS_FIRST = 250;
const REDIAL_MS_MAX = 15_000;
/** How often it is looked whether there is somebody new to dial. */
const LOOK_EVERY_MS = 1_000;
const DIAL_TIMEOUT_MS = 5_000;
/** Connections that have not proved who they are yet: more are turned away, so that strangers cannot fill memory. */
const HALF_OPEN_MAX = 64;
/** Sessions at a time, over all networks: each holds buffers, and whoever knows a network's id can open one. */
const SESSIONS_MAX = 256;
/** Frames of one peer that wait to be taken in. Peers answer requests, so that an honest one never comes near. */
const INBOX_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes on the way to one peer beyond which nothing is added: it will ask again. */
const OUTBOX_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes after which a frame is closed and the next begun. */
const FRAME_BYTES_TARGET = 512 * 1024;

interface Open {
  readonly session_id: string;
  readonly identity: Identity;
  readonly device_id: Id;
  readonly secure: SecureSession;
  readonly began_here: boolean;
  readonly inbox: Uint8Array[];
  inbox_bytes: number;
}

interface Target {
  failures: number;
  next_try_ms: number;
  dialing: boolean;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  readonly #open = new Map<string, Open>();
  readonly #targets = new Map<string, Target>();
  readonly #half_open = new Set<Connection>();
  #listener: Listener | null = null;
  #stop_looking: (() => void) | null = null;
  #pumping = false;
  #closed = false;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
  }

  /** Begins to accept at `address` (port 0: any free one). Returns the address with the real port. */
  async listen(address: string): Promise<string> {
    this.#listener = await this.#ports.transport.listen(address, (connection) => this.#accept(connection));
    return this.#listener.address;
  }

  /** Begins to dial. */
  start(): void {
    const look = () => {
      this.look();
      if (!this.#closed) this.#stop_looking = this.#ports.timers.set(look, LOOK_EVERY_MS);
    };
    look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stop_looking?.();
    for (const connection of this.#half_open) connection.close('closing');
    for (const open of [...this.#open.values()]) open.secure.close('closing');
    await this.#listener?.close();
  }

  count(identity: Identity): number {
    return [...this.#open.values()].filter((open) => open.identity === identity).length;
  }

  /** Ends the sessions of an identity, or those whose peer `refuse` picks. */
  end(identity: Identity, reason: string): void {
    for (const open of [...this.#open.values()]) if (open.identity === identity) open.secure.close(reason);
  }

  /** Dials whom it is time to dial. */
  look(): void {
    if (this.#closed) return;
    const now_ms = this.#ports.clock.monotonic_ms();
    for (const { identity, network_id } of this.#ports.engine.identities()) {
      if (network_id === null) continue;
      const peers = this.#ports.engine.query('get_peers_to_dial', {}, identity) as readonly {
        device_id: Id;
        address: string;
      }[];
      for (const { device_id, address } of peers) {
        if (this.#sessionWith(identity, device_id) !== undefined) continue;
        const key = `${identity} ${device_id} ${address}`;
        const target = this.#targets.get(key) ?? { failures: 0, next_try_ms: 0, dialing: false };
        this.#targets.set(key, target);
        if (!target.dialing && target.next_try_ms <= now_ms)
          void this.#dial(identity, device_id, address, target);
      }
    }
  }

  async #dial(identity: Identity, device_id: Id, address: string, target: Target): Promise<void> {
    const { transport, random, clock, log } = this.#ports;
    target.dialing = true;
    try {
      const local = this.#ports.deviceOf(identity);
      if (local === null) return;
      const connection = await transport.dial(address, { timeout_ms: DIAL_TIMEOUT_MS });
      const secure = await secureInitiator(connection, local, Uint8Array.fromHex(device_id), {
        timeout_ms: DIAL_TIMEOUT_MS,
        random,
      });
      target.failures = 0;
      target.next_try_ms = clock.monotonic_ms() + REDIAL_MS_FIRST;
      this.#opened(identity, secure, true);
    } catch (thrown) {
      const pause_ms = Math.min(REDIAL_MS_MAX, REDIAL_MS_FIRST * 2 ** target.failures);
      const jitter = 0.5 + random.bytes(1)[0]! / 512;
      target.failures = Math.min(target.failures + 1, 16);
      target.next_try_ms = clock.monotonic_ms() + pause_ms * jitter;
      if (target.failures === 1)
        log('dial_failed', { address, device: device_id.slice(0, 8), ...placeOf(thrown) });
    } finally {
      target.dialing = false;
    }
  }

  #accept(connection: Connection): void {
    if (this.#closed || this.#half_open.size >= HALF_OPEN_MAX) {
      connection.close('busy');
      return;
    }
    this.#half_open.add(connection);
    const identities = this.#ports.engine.identities().filter((row) => row.network_id !== null);
    const find = () =>
      identities.map((row) => this.#ports.deviceOf(row.identity)).filter((local) => local !== null);
    secureResponder(connection, find, { timeout_ms: DIAL_TIMEOUT_MS, random: this.#ports.random })
      .then((secure) => {
        const device_id = secure.local_device.toHex();
        const identity = identities.find((row) => row.device_id === device_id)?.identity;
        if (identity === undefined) secure.close('unknown_device');
        else this.#opened(identity, secure, false);
      })
      .catch((thrown: unknown) => this.#ports.log('handshake_failed', { ...placeOf(thrown) }))
      .finally(() => this.#half_open.delete(connection));
  }

  #opened(identity: Identity, secure: SecureSession, began_here: boolean): void {
    const { engine, log, random } = this.#ports;
    const device_id = secure.remote_device.toHex();
    const other = this.#sessionWith(identity, device_id);
    const is_full = other === undefined && this.#open.size >= SESSIONS_MAX;
    if (this.#closed || is_full || device_id === secure.local_device.toHex()) {
      secure.close('not_needed');
      return;
    }
    if (other !== undefined && other.began_here !== began_here) {
      const ours_stays = secure.local_device.toHex() < device_id;
      if (began_here !== ours_stays) {
        secure.close('not_needed');
        return;
      }
    }
    other?.secure.close('replaced');
    const open: Open = {
      session_id: random.bytes(16).toHex(),
      identity,
      device_id,
      secure,
      began_here,
      inbox: [],
      inbox_bytes: 0,
    };
    this.#open.set(open.session_id, open);
    log('session_opened', { device: device_id.slice(0, 8), identity, began_here });
    engine.instruct(identity, 'sessions', 'session', {
      session_id: open.session_id,
      device_id,
      state: 'opened',
    });
    secure.on_close = (reason) => this.#ended(open, reason);
    secure.on_frame = (frame) => this.#arrived(open, frame);
  }

  #ended(open: Open, reason: string): void {
    if (!this.#open.delete(open.session_id)) return;
    this.#ports.log('session_closed', {
      device: open.device_id.slice(0, 8),
      identity: open.identity,
      reason,
    });
    if (this.#closed) return;
    try {
      this.#ports.engine.instruct(open.identity, 'sessions', 'session', {
        session_id: open.session_id,
        device_id: open.device_id,
        state: 'closed',
      });
    } catch (thrown) {
      this.#ports.log('session_close_failed', { ...placeOf(thrown) });
    }
  }

  #arrived(open: Open, frame: Uint8Array): void {
    if (frame.length > limits.frame_bytes_max || open.inbox_bytes + frame.length > INBOX_BYTES_MAX) {
      open.secure.close('sends_too_much');
      return;
    }
    open.inbox.push(frame);
    open.inbox_bytes += frame.length;
    this.#pump();
  }

  /** Takes in one frame of each session in turn, so that one busy peer does not keep the others waiting, and lets timers run in between. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const turn = () => {
      for (const open of [...this.#open.values()]) {
        const frame = open.inbox.shift();
        if (frame === undefined || this.#closed) continue;
        open.inbox_bytes -= frame.length;
        this.#takeIn(open, frame);
      }
      if (!this.#closed && [...this.#open.values()].some((open) => open.inbox.length > 0))
        this.#ports.timers.soon(turn);
      else this.#pumping = false;
    };
    this.#ports.timers.soon(turn);
  }

  #takeIn(open: Open, frame: Uint8Array): void {
    try {
      this.#ports.engine.receive(
        open.identity,
        { session_id: open.session_id, device_id: open.device_id },
        frame,
      );
    } catch (thrown) {
      // The storage failed: nothing of the frame was taken in, and sync will bring it again.
      this.#ports.log('frame_not_taken_in', { ...placeOf(thrown) });
    }
  }

  /** Sends what a commit has made due, each session's items in few frames. */
  send(effects: readonly AfterCommit[]): void {
    const items = new Map<string, Uint8Array[]>();
    for (const effect of effects) {
      if (effect.effect !== 'send') continue;
      const of_session = items.get(effect.session_id);
      if (of_session === undefined) items.set(effect.session_id, [effect.item]);
      else of_session.push(effect.item);
    }
    for (const [session_id, of_session] of items) {
      const open = this.#open.get(session_id);
      if (open === undefined || open.secure.buffered_bytes > OUTBOX_BYTES_MAX) continue;
      for (const frame of framesOf(of_session)) open.secure.send(frame);
    }
  }

  #sessionWith(identity: Identity, device_id: Id): Open | undefined {
    for (const open of this.#open.values())
      if (open.identity === identity && open.device_id === device_id) return open;
    return undefined;
  }
}

function* framesOf(items: readonly Uint8Array[]): Generator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    if (
      batch.length > 0 &&
      (bytes + item.length > FRAME_BYTES_TARGET || batch.length >= limits.frame_items_max)
    ) {
      yield encodeFrame(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.length;
  }
  if (batch.length > 0) yield encodeFrame(batch);
}

/** The address a peer is told for this node: what it listens on, unless that means "every interface". */
export function announced(listen: string, host: string | null): string {
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  const name = listen.slice(0, listen.lastIndexOf(':'));
  if (name !== '0.0.0.0' && name !== '[::]') return listen;
  if (host === null)
    throw new SottoError(
      'no_public_host',
      `Listening on ${name}: tell with --announce HOST under which name others reach this node.`,
    );
  return `${host}:${port}`;
}
