/**
 * A running node without its machine: the engine over its database, the scheduler on a timer, sessions over a transport, and the erasing of what was
 * purged, wired together. Time, chance, storage and network are handed in, so that a host and a simulation run this very code.
 */
import { placeOf } from '../core/assert.ts';
import type { Clock, Random, Timers } from '../core/clock.ts';
import type { Db } from '../core/db.ts';
import { Engine } from '../core/engine.ts';
import type { Id } from '../core/fields.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Protocol } from '../core/protocol.ts';
import { JobScheduler } from '../core/scheduler.ts';
import type { Transport } from '../core/transport.ts';
import { Devices } from './devices.ts';
import type { Checked } from './inboxes.ts';
import type { Log } from './log.ts';
import { Purges } from './purges.ts';
import { Sessions } from './sessions.ts';
import type { AddressHints } from './targets.ts';

/** After a pass that the storage did not let through. */
const RETRY_MS = 1_000;
/** How often it is looked whether the network still knows where this node is: another machine with a copy of its data may have said otherwise. */
const ANNOUNCE_AGAIN_MS = 30 * 60_000;

export interface RuntimePorts {
  /** Closed with the runtime, and when it cannot be made. */
  readonly db: Db;
  /** The file of the database. */
  readonly path: string;
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly transport: Transport;
  /** Checks the signatures of large frames outside this thread. */
  readonly check?: ((frame: Uint8Array) => Promise<Checked> | null) | undefined;
  /** Where peers may be besides. */
  readonly hints?: AddressHints | undefined;
  readonly log: Log;
  /** Makes the engine; here a host unlocks what a passphrase seals. */
  readonly unlock?: (make: () => Engine) => Engine;
  /** Told after each commit, after everything in here. */
  readonly on_commit: (effects: readonly AfterCommit[]) => void;
}

export class Runtime {
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly scheduler: JobScheduler;
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly purges: Purges;
  readonly #ports: RuntimePorts;
  #stop_timer: (() => void) | null = null;
  #announced: { readonly address: string; readonly at_ms: number } | null = null;
  #closed = false;

  constructor(ports: RuntimePorts) {
    const { db, path, protocol, clock, random, timers, log } = ports;
    this.#ports = ports;
    this.protocol = protocol;
    this.clock = clock;
    try {
      const after_commit = (effects: readonly AfterCommit[]) => this.#afterCommit(effects);
      const highest_ms = () => this.scheduler?.highestMs() ?? 0;
      const make = () => new Engine({ db, protocol, clock, random, highest_ms, after_commit });
      this.engine = ports.unlock === undefined ? make() : ports.unlock(make);
      this.purges = new Purges({ engine: this.engine, db, path, timers, log });
      // Before anything is said to anybody: what was being erased when the node ended, or stood in slots that a passphrase seals now, is gone.
      this.purges.start();
      this.devices = new Devices(this.engine, db);
      this.scheduler = new JobScheduler({
        db,
        clock,
        random,
        transact: (now_ms, body) => this.engine.transact(body, now_ms),
        run_job: (job, params, identity, occurrence) =>
          this.engine.pure.job(job, params, this.engine.scope(identity, clock.wall_ms()), occurrence),
        identities: () => this.#networks(),
        witnesses: () => this.engine.query('get_clock_witnesses', {}, 0) as never,
        other_users: () => this.#otherUsers(),
      });
      this.sessions = new Sessions({
        engine: this.engine,
        transport: ports.transport,
        clock,
        random,
        timers,
        hints: ports.hints,
        check: ports.check,
        deviceOf: (identity) => this.devices.of(identity),
        log: (event, details) => log('info', event, details),
      });
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }

  #networks(): { identity: number; network_id: Id }[] {
    return this.engine
      .identities()
      .flatMap(({ identity, network_id }) => (network_id === null ? [] : [{ identity, network_id }]));
  }

  #otherUsers(): number {
    const networks = this.engine.query('get_networks', {}, 0) as readonly { members: number }[];
    return networks.reduce((total, network) => total + Math.max(0, network.members - 1), 0);
  }

  /** Begins to dial and to run jobs, and tells each network where this node can be reached. The jobs must have been loaded. */
  begin(announced_address: string): void {
    this.#announceAddress(announced_address);
    this.sessions.start();
    this.tick();
  }

  /** Runs what is due, and sets the one timer for what comes next. */
  tick(): void {
    if (this.#closed) return;
    this.#stop_timer?.();
    let delay_ms = RETRY_MS;
    try {
      this.#announceAgain();
      this.scheduler.runDueJobs();
      delay_ms = this.scheduler.delayMs(this.clock.wall_ms());
    } catch (thrown) {
      this.#ports.log('error', 'jobs_not_run', { ...placeOf(thrown) });
    }
    this.#stop_timer = this.#ports.timers.set(() => this.tick(), delay_ms);
  }

  #afterCommit(effects: readonly AfterCommit[]): void {
    this.sessions?.send(effects);
    this.#ports.on_commit(effects);
    if (effects.some((effect) => effect.effect === 'purged')) this.purges?.due();
    if (effects.some((effect) => effect.effect === 'identities_changed'))
      this.#ports.timers.soon(() => {
        if (this.#closed) return;
        this.scheduler.identitiesChanged();
        this.tick();
      });
  }

  #announceAgain(): void {
    if (this.#announced === null) return;
    const { address, at_ms } = this.#announced;
    if (this.clock.monotonic_ms() - at_ms > ANNOUNCE_AGAIN_MS) this.#announceAddress(address);
  }

  /** Tells each network where this node can be reached, unless it knows. */
  #announceAddress(address: string): void {
    this.#announced = { address, at_ms: this.clock.monotonic_ms() };
    const networks = this.engine.query('get_networks', {}, 0) as readonly {
      identity: number;
      admitted: boolean;
      removed: boolean;
    }[];
    for (const { identity, admitted, removed } of networks) {
      if (!admitted || removed) continue;
      try {
        this.engine.command('announce_address', identity, { address });
      } catch (thrown) {
        this.#ports.log('warn', 'address_not_announced', { identity, ...placeOf(thrown) });
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop_timer?.();
    await this.sessions.close();
    this.devices.close();
    this.purges.close();
    this.#ports.db.close();
  }
}
