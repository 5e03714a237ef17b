/**
 * Whom to dial, at which address, and when again. Addresses are those that the network itself tells, and hints of the host's, for which nobody
 * vouches: whoever is on the same LAN, say. A hint adds a place to try and takes none away, and few of them are tried at a time; who answers there
 * has to prove the same as everywhere.
 */
import type { Clock, Random } from '../core/clock.ts';
import type { Identity } from '../core/envelope.ts';
import type { Id } from '../core/fields.ts';

/** One of our devices, and whom it would have a session with. */
export interface Seeker {
  readonly identity: Identity;
  readonly network_id: Id;
  readonly device_id: Id;
  /** May name a device several times. */
  readonly peers: readonly { readonly device_id: Id; readonly address: string }[];
}

/** Further addresses at which peers may be. */
export interface AddressHints {
  /** Told about every second who seeks whom; hints about others are of no use. */
  seek(seekers: readonly Seeker[]): void;
  /** `host:port` each, those that were heard of first first. */
  addressesOf(identity: Identity, device_id: Id): readonly string[];
  /** Nobody answered there who proved to be this device; may be about an address that is no hint. */
  failed(identity: Identity, device_id: Id, address: string): void;
  /** The opposite of `failed`. */
  reached(identity: Identity, device_id: Id, address: string): void;
}

export interface Target {
  readonly identity: Identity;
  readonly device_id: Id;
  readonly address: string;
  /** Nobody but a hint names the address. */
  is_hint: boolean;
  failures: number;
  next_try_ms: number;
  dialing: boolean;
}

export interface TargetsPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly hints?: AddressHints | undefined;
}

/** First and longest pause before a peer is dialed again. */
const REDIAL_MS_FIRST = 250;
const REDIAL_MS_MAX = 15_000;
/** A session that ends sooner counts as a dial that failed: a peer that hangs up on us is not called again at once, for ever. */
const SESSION_MS_MIN = 1_000;
/** Dials that hints may cause per look, which is once a second: whoever gives many sends us to few places. */
export const HINT_DIALS_MAX = 8;

export class Targets {
  readonly #ports: TargetsPorts;
  readonly #targets = new Map<string, Target>();

  constructor(ports: TargetsPorts) {
    this.#ports = ports;
  }

  /**
   * Those to dial now, and forgets who is not to be dialed any more.
   * @param hasSession whether one of our identities is connected with a device
   */
  due(
    seekers: readonly Seeker[],
    hasSession: (identity: Identity, device_id: Id) => boolean,
  ): readonly Target[] {
    const now_ms = this.#ports.clock.monotonic_ms();
    const wanted = new Set<string>();
    const due: Target[] = [];
    const isDue = ({ dialing, next_try_ms, identity, device_id }: Target) =>
      !dialing && next_try_ms <= now_ms && !hasSession(identity, device_id);
    for (const { identity, peers } of seekers)
      for (const { device_id, address } of peers) {
        const target = this.#wanted(wanted, identity, device_id, address, false);
        if (isDue(target)) due.push(target);
      }
    // An address of the device's own that has not failed yet has until the next look: two sessions at once are one too many.
    const dialed = new Set(
      due
        .filter(({ failures }) => failures === 0)
        .map(({ identity, device_id }) => `${identity} ${device_id}`),
    );
    let hint_dials = 0;
    for (const { identity, device_id, address } of this.#hinted(seekers)) {
      if (wanted.has(keyOf(identity, device_id, address))) continue;
      const target = this.#wanted(wanted, identity, device_id, address, true);
      if (hint_dials >= HINT_DIALS_MAX || dialed.has(`${identity} ${device_id}`) || !isDue(target)) continue;
      hint_dials += 1;
      due.push(target);
    }
    for (const [key, { dialing }] of this.#targets)
      if (!dialing && !wanted.has(key)) this.#targets.delete(key);
    return due;
  }

  #hinted(seekers: readonly Seeker[]): { identity: Identity; device_id: Id; address: string }[] {
    const { hints } = this.#ports;
    if (hints === undefined) return [];
    hints.seek(seekers);
    return seekers.flatMap(({ identity, peers }) =>
      [...new Set(peers.map(({ device_id }) => device_id))].flatMap((device_id) =>
        hints.addressesOf(identity, device_id).map((address) => ({ identity, device_id, address })),
      ),
    );
  }

  #wanted(wanted: Set<string>, identity: Identity, device_id: Id, address: string, is_hint: boolean): Target {
    const key = keyOf(identity, device_id, address);
    const target = this.#targets.get(key) ?? {
      identity,
      device_id,
      address,
      is_hint,
      failures: 0,
      next_try_ms: 0,
      dialing: false,
    };
    target.is_hint = is_hint;
    wanted.add(key);
    this.#targets.set(key, target);
    return target;
  }

  /** Nobody answered who proved to be the device. */
  failed(target: Target): void {
    this.postpone(target);
    this.#ports.hints?.failed(target.identity, target.device_id, target.address);
  }

  reached({ identity, device_id, address }: Target): void {
    this.#ports.hints?.reached(identity, device_id, address);
  }

  postpone(target: Target): void {
    const { random, clock } = this.#ports;
    const pause_ms = Math.min(REDIAL_MS_MAX, REDIAL_MS_FIRST * 2 ** target.failures);
    const jitter = 0.5 + random.bytes(1)[0]! / 512;
    target.failures = Math.min(target.failures + 1, 16);
    target.next_try_ms = clock.monotonic_ms() + pause_ms * jitter;
  }

  /** A session that was dialed has ended. */
  ended(target: Target, opened_ms: number): void {
    const now_ms = this.#ports.clock.monotonic_ms();
    if (now_ms - opened_ms < SESSION_MS_MIN) {
      this.postpone(target);
    } else {
      target.failures = 0;
      target.next_try_ms = now_ms + REDIAL_MS_FIRST;
    }
  }
}

function keyOf(identity: Identity, device_id: Id, address: string): string {
  return `${identity} ${device_id} ${address}`;
}
