/**
 * Where, as somebody on the LAN says, the devices are that ours look for. Hints only: they are dialed, and whoever answers has to prove who it is.
 * To give one takes the id of a network of ours, so that strangers, however many packets they send, take nobody's place here. Members who lie fill
 * what one address and one device may have at most, and lose it by not being there.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Identity } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { formatAddress } from '../../../transport/address.ts';
import type { AddressHints, Seeker } from '../../targets.ts';
import { type Heard, type NetworkDevice, recogniser } from './announcement.ts';
import { lan_limits } from './limits.ts';

export interface LanHintsPorts {
  readonly clock: Clock;
  /** Our own devices are others now. */
  readonly on_own: () => void;
  /** Somebody is looked for who was not before, or is not where they were. */
  readonly on_sought: () => void;
}

interface Sought extends NetworkDevice {
  readonly hints: Map<string, Hint>;
}

interface Hint {
  readonly host: string;
  /** Of the announcement that was heard last, hex. */
  salt: string;
  expires_ms: number;
  failures: number;
}

export class LanHints implements AddressHints {
  readonly #ports: LanHintsPorts;
  #own: readonly NetworkDevice[] = [];
  #own_key = '';
  /** By identity and device. */
  #sought = new Map<string, Sought>();
  /** How many hints came from which host; null: to be counted anew. */
  #counts: Map<string, number> | null = null;
  /** Salts and places of announcements that named nobody else than they did when as many were sought. */
  readonly #judged = new Map<string, number>();
  /** Grows with each search for somebody new. */
  #search = 0;

  constructor(ports: LanHintsPorts) {
    this.#ports = ports;
  }

  /** Our own devices, as far as they are announced. */
  get own(): readonly NetworkDevice[] {
    return this.#own;
  }

  /** Devices for which there is a hint. */
  get found(): number {
    return [...this.#sought.values()].filter(({ hints }) => hints.size > 0).length;
  }

  seek(seekers: readonly Seeker[]): void {
    const sought = new Map<string, Sought>();
    let is_new = false;
    for (const { identity, network_id, peers } of seekers)
      for (const { device_id } of peers) {
        const key = keyOf(identity, device_id);
        if (sought.size >= lan_limits.sought_max || sought.has(key)) continue;
        const known = this.#sought.get(key);
        sought.set(key, known ?? { ...networkDevice(network_id, device_id), hints: new Map() });
        is_new ||= known === undefined;
      }
    this.#sought = sought;
    this.#counts = null;
    this.#forgetExpired();
    this.#takeOverOwn(seekers);
    if (!is_new) return;
    this.#search += 1;
    this.#ports.on_sought();
  }

  #takeOverOwn(seekers: readonly Seeker[]): void {
    const own = seekers.slice(0, lan_limits.tags);
    const own_key = own.map(({ network_id, device_id }) => `${network_id} ${device_id}`).join();
    if (own_key === this.#own_key) return;
    this.#own_key = own_key;
    this.#own = own.map(({ network_id, device_id }) => networkDevice(network_id, device_id));
    this.#ports.on_own();
  }

  #forgetExpired(): void {
    const now_ms = this.#ports.clock.monotonic_ms();
    for (const { hints } of this.#sought.values())
      for (const [address, { expires_ms }] of hints) if (expires_ms <= now_ms) hints.delete(address);
  }

  addressesOf(identity: Identity, device_id: Id): readonly string[] {
    return [...(this.#sought.get(keyOf(identity, device_id))?.hints.keys() ?? [])];
  }

  failed(identity: Identity, device_id: Id, address: string): void {
    const hints = this.#sought.get(keyOf(identity, device_id))?.hints;
    const hint = hints?.get(address);
    if (hints === undefined || hint === undefined) return;
    hint.failures += 1;
    if (hint.failures < lan_limits.failures_max) return;
    hints.delete(address);
    this.#counts = null;
    // Should it be announced again, it is worth a look again.
    this.#judged.delete(`${hint.salt} ${address}`);
    this.#ports.on_sought();
  }

  reached(identity: Identity, device_id: Id, address: string): void {
    const hint = this.#sought.get(keyOf(identity, device_id))?.hints.get(address);
    if (hint !== undefined) hint.failures = 0;
  }

  /** Whether a hint came from there. */
  knows(host: string): boolean {
    return this.#countedByHost().has(host);
  }

  #countedByHost(): ReadonlyMap<string, number> {
    if (this.#counts !== null) return this.#counts;
    this.#counts = new Map();
    for (const { hints } of this.#sought.values())
      for (const { host } of hints.values()) this.#counts.set(host, (this.#counts.get(host) ?? 0) + 1);
    return this.#counts;
  }

  heard(heard: Heard): void {
    if (heard.word === 'gone') this.#gone(heard);
    else if (!this.#isJudged(heard)) this.#judge(heard);
  }

  /** Nobody but who made the tags of an announcement, and the members of its network, can take it back. */
  #gone(heard: Heard): void {
    const address = formatAddress(heard.place);
    const salt = heard.salt.toHex();
    const isOf = recogniser(heard, this.#ports.clock.wall_ms());
    for (const sought of this.#sought.values())
      if (sought.hints.get(address)?.salt === salt && isOf(sought)) sought.hints.delete(address);
    this.#counts = null;
  }

  /** Whether it is known already whom it names; these last longer then. */
  #isJudged({ salt, place }: Heard): boolean {
    const address = formatAddress(place);
    if (this.#judged.get(`${salt.toHex()} ${address}`) !== this.#search) return false;
    const expires_ms = this.#ports.clock.monotonic_ms() + lan_limits.hint_ms;
    for (const { hints } of this.#sought.values()) {
      const hint = hints.get(address);
      if (hint?.salt === salt.toHex()) hint.expires_ms = expires_ms;
    }
    return true;
  }

  #judge(heard: Heard): void {
    const address = formatAddress(heard.place);
    const salt = heard.salt.toHex();
    const isOf = recogniser(heard, this.#ports.clock.wall_ms());
    let is_done = true;
    for (const sought of this.#sought.values())
      if (isOf(sought)) is_done = this.#take(sought, address, { host: heard.place.host, salt }) && is_done;
    if (!is_done) return;
    this.#judged.set(`${salt} ${address}`, this.#search);
    const [oldest] = this.#judged.keys();
    if (this.#judged.size > lan_limits.judged_max && oldest !== undefined) this.#judged.delete(oldest);
  }

  /** False where there is no room. */
  #take({ hints }: Sought, address: string, { host, salt }: Pick<Hint, 'host' | 'salt'>): boolean {
    const expires_ms = this.#ports.clock.monotonic_ms() + lan_limits.hint_ms;
    const known = hints.get(address);
    if (known !== undefined) {
      known.salt = salt;
      known.expires_ms = expires_ms;
      return true;
    }
    const counts = this.#countedByHost();
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (
      hints.size >= lan_limits.hints_per_device_max ||
      (counts.get(host) ?? 0) >= lan_limits.hints_per_source_max ||
      total >= lan_limits.hints_max
    )
      return false;
    hints.set(address, { host, salt, expires_ms, failures: 0 });
    this.#counts = null;
    return true;
  }
}

function keyOf(identity: Identity, device_id: Id): string {
  return `${identity} ${device_id}`;
}

function networkDevice(network_id: Id, device_id: Id): NetworkDevice {
  return { network_id: Uint8Array.fromHex(network_id), device_id: Uint8Array.fromHex(device_id) };
}
