/**
 * The simulated network: connections between named machines, as TCP gives them (whole, in order, or broken), over lines that are slow, lossy, cut in
 * one direction or both. What goes wrong with a message within a connection (it is lost, doubled, exchanged, altered: by a middlebox, or by somebody on
 * the wire) arrives as such at the handshake and the cipher, which have to notice.
 */
import { SottoError } from '../core/assert.ts';
import type { Connection, Listener, Transport } from '../core/transport.ts';
import { parseAddress } from '../transport/address.ts';
import { Inbox } from '../transport/inbox.ts';
import { transport_limits } from '../transport/limits.ts';
import type { Chance } from './chance.ts';
import type { Timeline } from './timeline.ts';

export interface NetworkFaults {
  readonly latency_ms: number;
  readonly jitter_ms: number;
  /** Shares of messages. */
  readonly broken: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly altered: number;
}

export const QUIET: NetworkFaults = {
  latency_ms: 20,
  jitter_ms: 20,
  broken: 0,
  doubled: 0,
  reordered: 0,
  altered: 0,
};

/** So long it takes until a side notices that nothing comes any more: two pings that nobody answered. */
const SILENCE_MS = transport_limits.ping_interval_ms * (transport_limits.missed_pings_max + 1);

class Line implements Connection {
  readonly machine: string;
  readonly #network: SimulatedNetwork;
  readonly #inbox = new Inbox();
  /** Nothing sent before arrives after it. */
  #last_arrival_ms = 0;
  #open = true;
  readonly buffered_bytes = 0;
  peer: Line | null = null;

  constructor(machine: string, network: SimulatedNetwork) {
    this.machine = machine;
    this.#network = network;
  }

  set on_message(receiver: (message: Uint8Array) => void) {
    this.#inbox.on_message = receiver;
  }
  set on_close(receiver: (reason: string) => void) {
    this.#inbox.on_close = receiver;
  }

  send(message: Uint8Array): void {
    if (!this.#open || this.peer === null) return;
    if (message.length > transport_limits.message_bytes_max)
      throw new SottoError('message_too_large', `Expected less than ${message.length} bytes`);
    this.#network.carry(this, this.peer, message.slice());
  }

  arrivalAfter(at_ms: number, in_order: boolean): number {
    if (!in_order) return at_ms;
    this.#last_arrival_ms = Math.max(this.#last_arrival_ms, at_ms);
    return this.#last_arrival_ms;
  }

  arrive(message: Uint8Array): void {
    if (this.#open && !this.#inbox.push(message)) this.close('held_too_much');
  }

  close(reason = 'closed'): void {
    if (!this.#open) return;
    this.end(reason, true);
    const { peer } = this;
    if (peer !== null) this.#network.tell(this, peer, () => peer.end('closed_by_peer', false));
  }

  end(reason: string, drop_held: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#network.forget(this);
    this.#inbox.end(reason, drop_held);
  }

  get is_open(): boolean {
    return this.#open;
  }
}

export interface Seen {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

export interface Traffic {
  messages: number;
  bytes: number;
}

/** The name of a line, the same in both directions. */
export const pairOf = (one: string, other: string): string => [one, other].sort().join(' and ');

export class SimulatedNetwork {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #listening = new Map<string, { machine: string; on_connection: (line: Connection) => void }>();
  readonly #open = new Set<Line>();
  /** `from to`: nothing gets through. */
  readonly #cut = new Set<string>();
  readonly #down = new Set<string>();
  faults: NetworkFaults = QUIET;
  /** Told of every message that goes on a line. */
  on_message: (seen: Seen) => void = () => undefined;
  /** Bytes that each machine has put on its lines, and that were put on them for it. */
  readonly of_machines = new Map<string, { sent: number; received: number }>();
  readonly #greeted = new WeakSet<object>();
  /** By pair of machines, but for the first message of each connection. */
  readonly lines = new Map<string, Traffic>();
  readonly counts = { messages: 0, bytes: 0, broken: 0, doubled: 0, reordered: 0, altered: 0, swallowed: 0 };

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
  }

  transport(machine: string): Transport {
    return {
      listen: async (address, on_connection): Promise<Listener> => {
        this.#listening.set(address, { machine, on_connection });
        return {
          address,
          close: async () => {
            if (this.#listening.get(address)?.on_connection === on_connection)
              this.#listening.delete(address);
          },
        };
      },
      dial: (address, { timeout_ms }) =>
        new Promise((resolve, reject) => {
          parseAddress(address);
          const fail = () =>
            reject(new SottoError('dial_failed', `Expected somebody at ${address}, but nobody answers`));
          const target = this.#listening.get(address);
          if (target === undefined || !this.#passes(machine, target.machine) || this.#down.has(machine)) {
            const is_refused = target === undefined && !this.#down.has(machine);
            this.#timeline.after(is_refused ? this.#delay() : timeout_ms, fail);
            return;
          }
          this.#timeline.after(2 * this.#delay(), () => {
            const still = this.#listening.get(address);
            const reaches = this.#passes(machine, target.machine) && this.#passes(target.machine, machine);
            if (still !== target || !reaches) return fail();
            const near = new Line(machine, this);
            const far = new Line(target.machine, this);
            near.peer = far;
            far.peer = near;
            this.#open.add(near).add(far);
            target.on_connection(far);
            resolve(near);
          });
        }),
    };
  }

  #passes(from: string, to: string): boolean {
    return !this.#cut.has(`${from} ${to}`) && !this.#down.has(from) && !this.#down.has(to);
  }

  #delay(): number {
    return this.faults.latency_ms + this.#chance.below(this.faults.jitter_ms + 1);
  }

  #ofMachine(name: string): { sent: number; received: number } {
    const of = this.of_machines.get(name) ?? { sent: 0, received: 0 };
    this.of_machines.set(name, of);
    return of;
  }

  carry(from: Line, to: Line, message: Uint8Array): void {
    this.counts.messages += 1;
    this.counts.bytes += message.length;
    // With what somebody hostile announced as its address, others go on trying to shake hands, for ever: that is not what they say to each other.
    const is_greeting = !this.#greeted.has(from);
    this.#greeted.add(from);
    const pair = pairOf(from.machine, to.machine);
    const line = this.lines.get(pair) ?? { messages: 0, bytes: 0 };
    this.lines.set(pair, line);
    line.messages += is_greeting ? 0 : 1;
    line.bytes += is_greeting ? 0 : message.length;
    this.#ofMachine(from.machine).sent += message.length;
    this.#ofMachine(to.machine).received += message.length;
    this.on_message({ from: from.machine, to: to.machine, bytes: message.length });
    if (!this.#passes(from.machine, to.machine)) {
      this.counts.swallowed += 1;
      return;
    }
    const { broken, doubled, reordered, altered } = this.faults;
    if (this.#chance.holds(broken)) {
      this.counts.broken += 1;
      this.#break(from, 'connection_lost');
      return;
    }
    let carried = message;
    if (this.#chance.holds(altered) && message.length > 0) {
      this.counts.altered += 1;
      carried = message.slice();
      carried[this.#chance.below(carried.length)]! ^= 1 << this.#chance.below(8);
    }
    const is_late = this.#chance.holds(reordered);
    if (is_late) this.counts.reordered += 1;
    const at_ms = to.arrivalAfter(this.#timeline.now_ms + this.#delay() * (is_late ? 8 : 1), !is_late);
    this.#timeline.at(at_ms, () => to.arrive(carried));
    if (this.#chance.holds(doubled)) {
      this.counts.doubled += 1;
      this.#timeline.at(at_ms + this.#delay(), () => to.arrive(carried.slice()));
    }
  }

  tell(from: Line, to: Line, run: () => void): void {
    const at_ms = to.arrivalAfter(this.#timeline.now_ms + this.#delay(), true);
    // Who is cut off is not told either, and notices by the silence.
    this.#timeline.at(this.#passes(from.machine, to.machine) ? at_ms : at_ms + SILENCE_MS, run);
  }

  forget(line: Line): void {
    this.#open.delete(line);
  }

  #break(line: Line, reason: string): void {
    line.peer?.end(reason, true);
    line.end(reason, true);
  }

  /** Nothing goes from one machine to the other any more; both notice after a while. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
    this.#timeline.after(SILENCE_MS, () => {
      if (!this.#cut.has(`${from} ${to}`)) return;
      for (const line of [...this.#open])
        if (line.machine === from && line.peer?.machine === to) this.#break(line, 'connection_lost');
    });
  }

  heal(): void {
    this.#cut.clear();
  }

  get is_cut(): boolean {
    return this.#cut.size > 0;
  }

  /** The machine is off or asleep: its connections are gone, and nobody reaches it. `is_polite`: its system still says so to others. */
  down(machine: string, is_polite: boolean): void {
    this.#down.add(machine);
    for (const line of [...this.#open]) {
      if (line.machine !== machine) continue;
      const { peer } = line;
      line.end('connection_lost', true);
      if (peer?.is_open)
        this.#timeline.after(is_polite ? this.#delay() : SILENCE_MS, () => peer.end('connection_lost', true));
    }
  }

  up(machine: string): void {
    this.#down.delete(machine);
  }
}
