/**
 * LAN discovery on one interface: announces this node there, asks who else is there, and hands on what it hears. Whatever goes wrong with its
 * socket is told in words once, and tried again a few times; nobody is thrown at.
 *
 * Nothing is ever sent to anybody but the group: whoever asks in another's name makes us send nothing there.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import makeMulticastDns, { type MulticastDNS } from 'multicast-dns';
import type { Clock, Random, Timers } from '../../../core/clock.ts';
import { formatAddress } from '../../../transport/address.ts';
import type { Log } from '../../log.ts';
import type { LinkAddress } from './addresses.ts';
import {
  type Announcement,
  announcementOf,
  asksForUs,
  type Heard,
  heardIn,
  type NetworkDevice,
  recordsOf,
  SERVICE,
  type Word,
} from './announcement.ts';
import { lan_limits } from './limits.ts';
import { wordsFor } from './words.ts';

const GROUP = '224.0.0.251';
/** Where that is possible only what is sent to the group comes in: unicast is left to other programs on the port, and to nobody from afar. */
const BIND = process.platform === 'linux' ? GROUP : '0.0.0.0';
/** All that is about us names the service. */
const NAMES_US = Buffer.from('\u0006_sotto');

export interface LinkPorts {
  /** UDP port. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly log: Log;
  /** Whether one more packet from there may be looked into. */
  readonly allows: (source: string) => boolean;
  readonly heard: (heard: Heard) => void;
}

type Task = 'ask' | 'announce' | 'retry';

export class Link {
  readonly address: string;
  readonly #link: LinkAddress;
  /** TCP port at which this node listens. */
  readonly #node_port: number;
  readonly #ports: LinkPorts;
  readonly #waiting = new Map<Task, { due_ms: number; cancel: () => void }>();
  #multicast: MulticastDNS | null = null;
  #is_ready = false;
  #announcement: Announcement;
  #announced_ms = Number.NEGATIVE_INFINITY;
  #asked_anew_ms = Number.NEGATIVE_INFINITY;
  #is_own_question_due = false;
  #failures = 0;
  #closed = false;
  /** In words, while it does not work. */
  problem: string | null = null;

  constructor(link: LinkAddress, node_port: number, own: readonly NetworkDevice[], ports: LinkPorts) {
    this.#link = link;
    this.address = link.address;
    this.#node_port = node_port;
    this.#ports = ports;
    this.#announcement = this.#made(own);
    this.#open();
  }

  #made(own: readonly NetworkDevice[]): Announcement {
    return announcementOf(
      { host: this.address, port: this.#node_port },
      own,
      this.#ports.random,
      this.#ports.clock.wall_ms(),
    );
  }

  #open(): void {
    try {
      const multicast = makeMulticastDns({
        socket: this.#socket(),
        port: this.#ports.port,
        interface: this.address,
        bind: BIND,
      });
      this.#multicast = multicast;
      // Later: the library goes on with its socket after it has told.
      const fail = (error: Error) => this.#ports.timers.soon(() => this.#fail(multicast, error));
      multicast.on('error', fail);
      // Also told of packets that are none; what the operating system did not do has the name of the call.
      multicast.on('warning', (error) => 'syscall' in error && fail(error));
      multicast.on('ready', () => this.#begin(multicast));
      multicast.on('query', (packet, { address }) => asksForUs(packet) && this.#asked(address));
      multicast.on('response', (packet, { address }) => this.#hear(heardIn(packet, address)));
    } catch (thrown) {
      this.#fail(null, thrown);
    }
  }

  /** A socket that keeps back what need not be decoded. */
  #socket(): Socket {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const emit: (...args: readonly unknown[]) => boolean = socket.emit.bind(socket) as never;
    const guarded = (event: string, ...args: readonly unknown[]) =>
      event === 'message' && !this.#lets(...(args as [Buffer, RemoteInfo])) ? false : emit(event, ...args);
    return Object.assign(socket, { emit: guarded });
  }

  #lets(message: Buffer, { address }: RemoteInfo): boolean {
    return (
      message.length <= lan_limits.packet_bytes_max &&
      this.#link.isNeighbour(address) &&
      message.includes(NAMES_US) &&
      this.#ports.allows(address)
    );
  }

  #begin(multicast: MulticastDNS): void {
    if (this.#closed || multicast !== this.#multicast) return;
    this.#is_ready = true;
    this.problem = null;
    this.#announceTwice();
    this.ask();
  }

  #hear(heard: Heard | null): void {
    if (heard === null || this.#closed) return;
    const is_own = heard.place.host === this.address && heard.place.port === this.#node_port;
    if (!is_own) this.#ports.heard(heard);
  }

  /** Announces other devices than before, under another name. */
  rename(own: readonly NetworkDevice[]): void {
    if (this.#is_ready) this.#say('gone');
    this.#announcement = this.#made(own);
    if (this.#is_ready) this.#announceTwice();
  }

  /** Twice, because a packet may be lost: RFC 6762, section 8.3. */
  #announceTwice(): void {
    this.#say('here');
    this.#later('announce', lan_limits.announce_pause_ms, () => this.#say('here'));
  }

  #asked(from: string): void {
    // What is sent to the group comes back to its sender; other nodes may ask from the same address.
    if (from === this.address && this.#is_own_question_due) this.#is_own_question_due = false;
    else this.#answer();
  }

  #answer(): void {
    if (this.#closed || this.#waiting.has('announce')) return;
    const { answer_ms_min, answer_ms_max, announce_pause_ms } = lan_limits;
    const delay_ms =
      answer_ms_min + (this.#ports.random.bytes(1)[0]! / 255) * (answer_ms_max - answer_ms_min);
    const pause_ms = this.#announced_ms + announce_pause_ms - this.#ports.clock.monotonic_ms();
    this.#later('announce', Math.max(delay_ms, pause_ms), () => this.#say('here'));
  }

  /** Asks soon who is there, and then less and less often. */
  ask(): void {
    if (!this.#is_ready) return;
    const now_ms = this.#ports.clock.monotonic_ms();
    const wait_ms = Math.max(0, this.#asked_anew_ms + lan_limits.ask_anew_ms_min - now_ms);
    const due_ms = this.#waiting.get('ask')?.due_ms ?? Number.POSITIVE_INFINITY;
    if (now_ms + wait_ms < due_ms) this.#later('ask', wait_ms, () => this.#askFrom(0));
  }

  #askFrom(times: number): void {
    if (times === 0) this.#asked_anew_ms = this.#ports.clock.monotonic_ms();
    this.#is_own_question_due = true;
    this.#send((multicast, done) => multicast.query([{ name: SERVICE, type: 'PTR' }], done));
    const pause_ms = Math.min(lan_limits.ask_ms_first * 2 ** times, lan_limits.ask_ms_max);
    this.#later('ask', pause_ms, () => this.#askFrom(Math.min(times + 1, 16)));
  }

  #say(word: Word, done: () => void = () => {}): void {
    this.#announced_ms = this.#ports.clock.monotonic_ms();
    this.#send((multicast, sent) => multicast.respond(recordsOf(this.#announcement, word), sent), done);
  }

  #send(
    how: (multicast: MulticastDNS, done: (error: Error | null) => void) => void,
    done: () => void = () => {},
  ): void {
    const multicast = this.#multicast;
    if (multicast === null) {
      done();
      return;
    }
    how(multicast, (error) => {
      if (error) this.#fail(multicast, error);
      done();
    });
  }

  #later(task: Task, delay_ms: number, run: () => void): void {
    this.#waiting.get(task)?.cancel();
    const due_ms = this.#ports.clock.monotonic_ms() + delay_ms;
    const cancel = this.#ports.timers.set(() => {
      this.#waiting.delete(task);
      run();
    }, delay_ms);
    this.#waiting.set(task, { due_ms, cancel });
  }

  #fail(multicast: MulticastDNS | null, thrown: unknown): void {
    // What had failed already, or is closed, has nothing more to say.
    if (this.#closed || multicast !== this.#multicast) return;
    this.#end();
    const is_first = this.#failures === 0;
    const is_last = this.#failures === lan_limits.retries_max;
    this.problem = wordsFor(thrown, formatAddress({ host: this.address, port: this.#ports.port }));
    if (is_first || is_last)
      this.#ports.log('warn', is_last ? 'lan_given_up' : 'lan_not_available', { problem: this.problem });
    if (is_last) return;
    const pause_ms = Math.min(lan_limits.retry_ms_first * 2 ** this.#failures, lan_limits.retry_ms_max);
    this.#failures += 1;
    this.#later('retry', pause_ms, () => this.#open());
  }

  #end(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#is_ready = false;
    this.#multicast?.destroy();
    this.#multicast = null;
  }

  /** Says goodbye, and lets go of the port. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#is_ready) await this.#sayGoodbye();
    this.#end();
  }

  #sayGoodbye(): Promise<void> {
    return new Promise<void>((resolve) => {
      const cancel = this.#ports.timers.set(resolve, lan_limits.goodbye_ms_max);
      this.#say('gone', () => {
        cancel();
        resolve();
      });
    });
  }
}
