/**
 * Finds peers on the same LAN by multicast DNS, and lets them find this node, where the node was started so. It uses the interfaces on which the
 * node can be reached, follows them as they come and go, and changes its names every hour. What it finds are hints (hints.ts).
 */
import { lookup } from 'node:dns/promises';
import type { LanView } from '../../../api/facade.ts';
import type { Clock, Random, Timers } from '../../../core/clock.ts';
import { parseAddress } from '../../../transport/address.ts';
import type { Log } from '../../log.ts';
import { type LinkAddress, linkAddresses } from './addresses.ts';
import { Budget } from './budget.ts';
import { LanHints } from './hints.ts';
import { lan_limits } from './limits.ts';
import { Link } from './link.ts';

/** UDP port of multicast DNS. */
const MULTICAST_DNS_PORT = 5353;

export interface LanPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly log: Log;
  /** UDP; that of multicast DNS unless said. */
  readonly port?: number | undefined;
  /** Where others on a LAN reach what listens at an address, at this moment; as the operating system says, unless said. */
  readonly addresses?: (host: string) => readonly LinkAddress[];
}

/** What is shown of a node that looks for nobody. */
export const LAN_OFF: LanView = { on: false, found: 0, addresses: [], problem: null };

export class Lan {
  readonly hints: LanHints;
  readonly #ports: LanPorts;
  readonly #budget: Budget;
  #host = '';
  #node_port = 0;
  #links: readonly Link[] = [];
  #renewed_ms = 0;
  #checked_ms = 0;
  #stop_checking: (() => void) | null = null;
  #closed = false;

  constructor(ports: LanPorts) {
    this.#ports = ports;
    this.#budget = new Budget(ports.clock);
    this.hints = new LanHints({
      clock: ports.clock,
      on_own: () => {
        for (const link of this.#links) link.rename(this.hints.own);
      },
      on_sought: () => {
        for (const link of this.#links) link.ask();
      },
    });
  }

  /** @param listen_address `host:port` at which this node listens */
  async start(listen_address: string): Promise<void> {
    const { host, port } = parseAddress(listen_address);
    this.#node_port = port;
    this.#host = await lookup(host, { family: host === '::' ? 6 : 4 }).then(
      ({ address }) => address,
      () => host,
    );
    if (this.#closed) return;
    this.#renew();
    this.#check();
  }

  status(): LanView {
    const problem = this.#links.find((link) => link.problem !== null)?.problem;
    const addresses = this.#links.filter((link) => link.problem === null).map(({ address }) => address);
    const none =
      'Expected an interface with a private IPv4 address on which this node listens; --listen says where.';
    return {
      on: true,
      found: this.hints.found,
      addresses,
      problem: problem ?? (this.#links.length === 0 ? none : null),
    };
  }

  /** Every some seconds: uses other interfaces if there are others, and everything anew under new names when it is time to. */
  #check(): void {
    if (this.#closed) return;
    const { clock } = this.#ports;
    const slept = clock.wall_ms() - this.#checked_ms > lan_limits.check_every_ms + lan_limits.slept_ms;
    if (slept || clock.monotonic_ms() - this.#renewed_ms >= lan_limits.name_ms_max) this.#renew();
    else this.#follow();
    this.#checked_ms = clock.wall_ms();
    this.#stop_checking = this.#ports.timers.set(() => this.#check(), lan_limits.check_every_ms);
  }

  #renew(): void {
    for (const link of this.#links) void link.close();
    this.#links = [];
    this.#renewed_ms = this.#ports.clock.monotonic_ms();
    this.#checked_ms = this.#ports.clock.wall_ms();
    this.#follow();
  }

  #follow(): void {
    const here = (this.#ports.addresses ?? linkAddresses)(this.#host);
    const stays = (link: Link) => here.some(({ address }) => address === link.address);
    for (const link of this.#links) if (!stays(link)) void link.close();
    const kept = this.#links.filter(stays);
    const added = here
      .filter(({ address }) => !kept.some((link) => link.address === address))
      .map((address) => this.#linkAt(address));
    this.#links = [...kept, ...added];
  }

  #linkAt(address: LinkAddress): Link {
    const { clock, random, timers, log, port = MULTICAST_DNS_PORT } = this.#ports;
    return new Link(address, this.#node_port, this.hints.own, {
      port,
      clock,
      random,
      timers,
      log,
      allows: (source) => this.#budget.allows(source, this.hints.knows(source)),
      heard: (heard) => this.hints.heard(heard),
    });
  }

  /** Says goodbye everywhere. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop_checking?.();
    await Promise.all(this.#links.map((link) => link.close()));
    this.#links = [];
  }
}
