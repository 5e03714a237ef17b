/**
 * Keeps a node in touch with its peers: accepts and dials connections, lets each prove who it is, takes lost ones up again, and carries frames
 * between sessions and the engine. Knows transports and timers only by their interfaces, so that a simulation runs this very code.
 *
 * One session at a time per peer: when both sides dial at once, the one that the lower device key began stays.
 *
 * Everything is bounded, and no bound lets those who prove less keep out those who prove more: see half-open.ts for the time before a session,
 * `#makeRoom` for sessions themselves.
 */
import { placeOf, SottoError } from '../core/assert.ts';
import type { Clock, Random, Timers } from '../core/clock.ts';
import type { Engine, IdentityRow } from '../core/engine.ts';
import type { Identity } from '../core/envelope.ts';
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
import { farewell } from './farewell.ts';
import { framesOf, type Sent } from './frames.ts';
import { HalfOpen } from './half-open.ts';
import { type Checked, Inboxes } from './inboxes.ts';
import { Seekers } from './seekers.ts';
import { type AddressHints, type Target, Targets } from './targets.ts';

export interface SessionsPorts {
  readonly engine: Engine;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  /** The device key of an identity, kept open by the host. */
  /** Checks the signatures of large frames outside this thread. */
  readonly check?: ((frame: Uint8Array) => Promise<Checked> | null) | undefined;
  readonly deviceOf: (identity: Identity) => LocalDevice | null;
  /** Where peers may be besides. */
  readonly hints?: AddressHints | undefined;
  /** One line for the log: words and short ids, never content. */
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** How often it is looked whether there is somebody new to dial. */
const LOOK_EVERY_MS = 1_000;
const DIAL_TIMEOUT_MS = 5_000;
/** Sessions at a time, over all networks: each holds buffers. */
export const SESSIONS_MAX = 256;
/**
 * Of these, guests: sessions that others began whose devices are no members. Whoever knows a network's id can have them, and whoever joins
 * needs one for a moment. Each may be amid a frame of 4 MB.
 */
export const GUESTS_MAX = 64;
/** Bytes on the way to one peer beyond which nothing is added: it will ask again. */
const OUTBOX_BYTES_MAX = 32 * 1024 * 1024;

interface Open {
  readonly session_id: string;
  readonly identity: Identity;
  readonly device_id: Id;
  readonly secure: SecureSession;
  /** What was dialed, if it began here. */
  readonly target: Target | null;
  readonly opened_ms: number;
  /** As far as anybody had to ask; never taken back, because the session of who is removed ends. */
  is_member: boolean;
  /** Of so many removals from private groups the other device has been told. */
  group_removals_told: number;
}

export class Sessions {
  readonly #ports: SessionsPorts;
  readonly #open = new Map<string, Open>();
  /** Sessions that are over, of which the engine does not know yet. */
  readonly #untold = new Set<Open>();
  /** Identities of whose sessions some may be with devices that were removed. */
  readonly #changed = new Set<Identity>();
  readonly #seekers: Seekers;
  readonly #targets: Targets;
  readonly #half_open: HalfOpen;
  readonly #inboxes: Inboxes<Open>;
  #listener: Listener | null = null;
  #stop_looking: (() => void) | null = null;
  #closed = false;

  constructor(ports: SessionsPorts) {
    this.#ports = ports;
    this.#seekers = new Seekers(ports);
    this.#targets = new Targets(ports);
    this.#half_open = new HalfOpen(ports);
    this.#inboxes = new Inboxes({
      soon: (run) => ports.timers.soon(run),
      takeIn: (open, frame, checked) => this.#takeIn(open, frame, checked),
      check: ports.check,
      overflows: (open) => this.#drop(open, 'sends_too_much'),
    });
  }

  /** Begins to accept at `address` (port 0: any free one). Returns the address with the real port. */
  async listen(address: string): Promise<string> {
    this.#listener = await this.#ports.transport.listen(address, (connection) => this.#accept(connection));
    return this.#listener.address;
  }

  /** Begins to dial. */
  start(): void {
    const look = () => {
      try {
        this.look();
      } catch (thrown) {
        // The storage failed: in a moment it is tried again.
        this.#ports.log('peers_not_looked_for', { ...placeOf(thrown) });
      }
      if (!this.#closed) this.#stop_looking = this.#ports.timers.set(look, LOOK_EVERY_MS);
    };
    look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stop_looking?.();
    this.#half_open.close('closing');
    for (const open of [...this.#open.values()]) open.secure.close('closing');
    await this.#listener?.close();
  }

  count(identity: Identity): number {
    return [...this.#open.values()].filter((open) => open.identity === identity).length;
  }

  /** Ends the sessions of an identity. Those of one that is gone can neither be dialed nor accepted any more: `#opened` looks. */
  end(identity: Identity, reason: string): void {
    for (const open of [...this.#open.values()]) if (open.identity === identity) this.#drop(open, reason);
  }

  /**
   * Ends the sessions of an identity with devices that were removed, and tells others of their removal from groups. `send` does so by itself when a commit has
   * changed who belongs.
   */
  endRemoved(identity: Identity): void {
    for (const open of [...this.#open.values()]) {
      if (open.identity !== identity) continue;
      if (this.#holds('is_removed_device', identity, open.device_id)) {
        this.#sayFarewell(open);
        this.#drop(open, 'removed');
      } else this.#tellOfGroups(open);
    }
  }

  /** Where the storage fails, it is owed. */
  #endAllRemoved(): void {
    for (const identity of this.#changed) {
      this.endRemoved(identity);
      this.#changed.delete(identity);
    }
  }

  /** Dials whom it is time to dial, and forgets who is not to be dialed any more. */
  look(): void {
    if (this.#closed) return;
    this.#tellEnds();
    this.#endAllRemoved();
    const seekers = this.#seekers.now();
    for (const open of [...this.#open.values()])
      if (!seekers.some((row) => row.identity === open.identity)) this.#drop(open, 'unknown_device');
    const hasSession = (identity: Identity, device_id: Id) =>
      this.#sessionWith(identity, device_id) !== undefined;
    for (const target of this.#targets.due(seekers, hasSession)) void this.#dial(target);
  }

  async #dial(target: Target): Promise<void> {
    const { identity, device_id, address } = target;
    const { transport, random, timers, log } = this.#ports;
    target.dialing = true;
    try {
      const local = this.#ports.deviceOf(identity);
      if (local === null) return;
      const connection = await transport.dial(address, { timeout_ms: DIAL_TIMEOUT_MS });
      const secure = await secureInitiator(connection, local, Uint8Array.fromHex(device_id), {
        timeout_ms: DIAL_TIMEOUT_MS,
        random,
        timers,
      });
      this.#opened(identity, secure, target);
    } catch (thrown) {
      this.#targets.failed(target);
      // Whoever sends us to places where nobody is must not fill our disk.
      if (target.failures === 1 && !target.is_hint)
        log('dial_failed', { address, device: device_id.slice(0, 8), ...placeOf(thrown) });
    } finally {
      target.dialing = false;
    }
  }

  #accept(connection: Connection): void {
    if (this.#closed) {
      connection.close('closing');
      return;
    }
    this.#half_open.arrived(connection);
    const find = () =>
      this.#identities()
        .map((row) => this.#ports.deviceOf(row.identity))
        .filter((local) => local !== null);
    secureResponder(connection, find, {
      timeout_ms: DIAL_TIMEOUT_MS,
      random: this.#ports.random,
      timers: this.#ports.timers,
      on_named: () => this.#half_open.named(connection),
    })
      .then((secure) => {
        const device_id = secure.local_device.toHex();
        const identity = this.#identities().find((row) => row.device_id === device_id)?.identity;
        if (identity === undefined) secure.close('unknown_device');
        else this.#opened(identity, secure, null);
      })
      .catch((thrown: unknown) => this.#half_open.failed(thrown))
      .finally(() => this.#half_open.over(connection));
  }

  /** A handshake is done: takes the session up, or ends it. */
  #opened(identity: Identity, secure: SecureSession, target: Target | null): void {
    const { random, clock, log } = this.#ports;
    const open: Open = {
      session_id: random.bytes(16).toHex(),
      identity,
      device_id: secure.remote_device.toHex(),
      secure,
      target,
      opened_ms: clock.monotonic_ms(),
      is_member: false,
      group_removals_told: 0,
    };
    try {
      const refusal = this.#refusal(open);
      if (refusal === null) {
        this.#takeUp(open);
      } else {
        if (refusal === 'removed') this.#sayFarewell(open);
        secure.close(refusal);
        if (target !== null) this.#targets.postpone(target);
      }
    } catch (thrown) {
      // The storage failed. A session that the engine does not know of would only stand in the way of the next.
      secure.close('storage_failed');
      log('session_not_opened', { ...placeOf(thrown) });
    }
  }

  #takeUp(open: Open): void {
    const { identity, device_id, session_id, secure } = open;
    const other = this.#sessionWith(identity, device_id);
    if (other !== undefined) this.#drop(other, 'replaced');
    this.#open.set(session_id, open);
    if (open.target !== null) this.#targets.reached(open.target);
    secure.on_close = (reason) => this.#ended(open, reason);
    secure.on_frame = (frame) => this.#arrived(open, frame);
    this.#ports.log('session_opened', {
      device: device_id.slice(0, 8),
      identity,
      began_here: open.target !== null,
    });
    this.#ports.engine.instruct(identity, 'sessions', 'session', { session_id, device_id, state: 'opened' });
    this.#tellOfGroups(open);
  }

  #sayFarewell({ identity, device_id, secure }: Open): void {
    const said = farewell(this.#ports.engine, identity, device_id, 'network');
    if (said !== null) secure.send(said.frame);
  }

  /** Who was removed from a private group hears of it from whoever is in it: as a session opens, and as it happens. */
  #tellOfGroups(open: Open): void {
    const said = farewell(this.#ports.engine, open.identity, open.device_id, 'groups');
    if (said === null || said.removals <= open.group_removals_told) return;
    open.group_removals_told = said.removals;
    open.secure.send(said.frame);
  }

  /** Why a session may not stay, or null. */
  #refusal(open: Open): string | null {
    const { identity, device_id, secure, target } = open;
    if (this.#closed) return 'closing';
    // The identity may have been deleted during the handshake.
    if (!this.#isOurs(identity, secure)) return 'unknown_device';
    if (this.#holds('is_removed_device', identity, device_id)) return 'removed';
    const local_id = secure.local_device.toHex();
    if (device_id === local_id) return 'not_needed';
    const other = this.#sessionWith(identity, device_id);
    if (other === undefined) return this.#makeRoom(open) ? null : 'no_room';
    const is_crossing = (other.target === null) !== (target === null);
    const ours_stays = local_id < device_id;
    return is_crossing && (target !== null) !== ours_stays ? 'not_needed' : null;
  }

  /**
   * Makes room for one more session, if it may have some. Guests give way, the oldest first: to members whenever all places are taken, and to
   * other guests, so that whoever sits on sessions does not keep newcomers from joining.
   */
  #makeRoom(open: Open): boolean {
    const is_guest = this.#isGuest(open);
    if (!is_guest && this.#open.size < SESSIONS_MAX) return true;
    const guests = [...this.#open.values()].filter((each) => this.#isGuest(each));
    if (this.#open.size < SESSIONS_MAX && guests.length < GUESTS_MAX) return true;
    if (guests[0] === undefined) return false;
    this.#drop(guests[0], 'pushed_out');
    return true;
  }

  #isGuest(open: Open): boolean {
    if (open.target !== null || open.is_member) return false;
    open.is_member = this.#holds('is_member', open.identity, open.device_id);
    return !open.is_member;
  }

  #identities(): readonly (IdentityRow & { readonly network_id: Id })[] {
    return this.#ports.engine
      .identities()
      .flatMap((row) => (row.network_id === null ? [] : [{ ...row, network_id: row.network_id }]));
  }

  #isOurs(identity: Identity, secure: SecureSession): boolean {
    return this.#ports.engine.identity(identity)?.device_id === secure.local_device.toHex();
  }

  /** Whether the protocol says so of a device. One that does not have the query never does: it knows no members, or no removals. */
  #holds(query: 'is_member' | 'is_removed_device', identity: Identity, device_id: Id): boolean {
    try {
      return this.#ports.engine.query(query, { device_id }, identity).length > 0;
    } catch (thrown) {
      if (thrown instanceof SottoError && thrown.code === 'unknown_query') return false;
      throw thrown;
    }
  }

  /** Ends a session for everything in here at once; its `on_close` comes in a later turn. */
  #drop(open: Open, reason: string): void {
    this.#ended(open, reason);
    open.secure.close(reason);
  }

  #ended(open: Open, reason: string): void {
    if (!this.#open.delete(open.session_id)) return;
    this.#inboxes.remove(open);
    if (open.target !== null && reason !== 'replaced') this.#targets.ended(open.target, open.opened_ms);
    this.#ports.log('session_closed', {
      device: open.device_id.slice(0, 8),
      identity: open.identity,
      reason,
    });
    this.#untold.add(open);
    this.#afterTurn('session_close_failed', () => this.#tellEnds());
  }

  /** Tells the engine of sessions that are over. What the storage does not let through is told again: else all would be sent to one that nobody hears. */
  #tellEnds(): void {
    for (const open of this.#untold) {
      const { identity, session_id, device_id, secure } = open;
      if (this.#isOurs(identity, secure))
        this.#ports.engine.instruct(identity, 'sessions', 'session', {
          session_id,
          device_id,
          state: 'closed',
        });
      this.#untold.delete(open);
    }
  }

  /** Asks or tells the engine something soon: it must not be called while it hands over what follows from a commit. */
  #afterTurn(failure: string, run: () => void): void {
    queueMicrotask(() => {
      try {
        if (!this.#closed) run();
      } catch (thrown) {
        this.#ports.log(failure, { ...placeOf(thrown) });
      }
    });
  }

  #arrived(open: Open, frame: Uint8Array): void {
    if (!this.#open.has(open.session_id)) return;
    if (frame.length > limits.frame_bytes_max) this.#drop(open, 'sends_too_much');
    else this.#inboxes.add(open, frame);
  }

  #takeIn(open: Open, frame: Uint8Array, checked: Checked): void {
    if (this.#closed) return;
    try {
      this.#ports.engine.receive(
        open.identity,
        { session_id: open.session_id, device_id: open.device_id },
        frame,
        checked,
      );
    } catch (thrown) {
      // The storage failed: nothing of the frame was taken in, and sync will bring it again.
      this.#ports.log('frame_not_taken_in', { ...placeOf(thrown) });
    }
  }

  /** Sends what a commit has made due, each session's items in few frames, and ends the sessions of devices that it has removed. */
  send(effects: readonly AfterCommit[]): void {
    const items = new Map<string, Sent[]>();
    const changed = new Set<Identity>();
    for (const effect of effects) {
      if (effect.effect === 'standing_changed') changed.add(effect.identity);
      if (effect.effect !== 'send') continue;
      const of_session = items.get(effect.session_id);
      if (of_session === undefined) items.set(effect.session_id, [effect]);
      else of_session.push(effect);
    }
    for (const [session_id, of_session] of items) {
      const open = this.#open.get(session_id);
      if (open === undefined || open.secure.buffered_bytes > OUTBOX_BYTES_MAX) continue;
      for (const frame of framesOf(of_session)) open.secure.send(frame);
    }
    for (const identity of changed) this.#changed.add(identity);
    if (changed.size > 0) this.#afterTurn('removed_not_ended', () => this.#endAllRemoved());
  }

  #sessionWith(identity: Identity, device_id: Id): Open | undefined {
    for (const open of this.#open.values())
      if (open.identity === identity && open.device_id === device_id) return open;
    return undefined;
  }
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
