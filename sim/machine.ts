/**
 * One simulated machine: its disk, its clock, and (while it is on) the very runtime that a host runs. It can be switched off, put to sleep, killed at any
 * statement, set back to an old copy of its disk, or given a wrong time.
 */
import type { Clock, Timers } from '../core/clock.ts';
import { loadJobs } from '../core/config.ts';
import type { Db } from '../core/db.ts';
import type { Id } from '../core/fields.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Protocol } from '../core/protocol.ts';
import { Runtime } from '../hosts/runtime.ts';
import type { Chance } from './chance.ts';
import { Disk, type Open } from './disk.ts';
import type { SimulatedNetwork } from './network.ts';
import { Tape } from './purity.ts';
import type { Timeline } from './timeline.ts';

export const EPOCH_MS = 1_800_000_000_000;

class MachineClock implements Clock {
  readonly #timeline: Timeline;
  /** Milliseconds more than there are, per millisecond. */
  drift = 0;
  offset_ms = 0;
  frozen_ms: number | null = null;
  slept_ms = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  wall_ms = (): number =>
    this.frozen_ms ??
    Math.floor(EPOCH_MS + this.#timeline.now_ms + this.#timeline.now_ms * this.drift + this.offset_ms);
  monotonic_ms = (): number => this.#timeline.now_ms - this.slept_ms;
  /** As it should be. */
  right(): void {
    this.offset_ms = 0;
    this.drift = 0;
    this.frozen_ms = null;
  }
}

export interface MachinePorts {
  readonly name: string;
  readonly folder: string;
  readonly timeline: Timeline;
  readonly network: SimulatedNetwork;
  readonly protocol: Protocol;
  readonly chance: (purpose: string) => Chance;
  readonly open: Open;
  readonly jobs_yaml: () => string;
  readonly on_commit: (machine: Machine, effects: readonly AfterCommit[]) => void;
  readonly on_log: (machine: Machine, level: string, event: string, details: object) => void;
  readonly on_boot: (machine: Machine, runtime: Runtime) => void;
}

export type State = 'on' | 'asleep' | 'off' | 'destroyed';

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly disk: Disk;
  readonly #ports: MachinePorts;
  /** Chance as its process has it. */
  readonly tape: Tape;
  /** Of the process: what an earlier one had set up does not happen any more. */
  #process = 0;
  #stalled: (() => void)[] = [];
  #asleep_since_ms = 0;
  #naps = 0;
  state: State = 'off';
  /** Since when it is on, in simulated time. */
  on_since_ms = 0;
  #runtime: Runtime | null = null;
  #connection: Db | null = null;
  readonly backups: string[] = [];
  crashes = 0;
  /** It takes every frame in twice, as after a crash that came too early to remember the first time. */
  hears_twice = false;

  constructor(ports: MachinePorts) {
    const { name, folder, timeline, open, chance } = ports;
    this.#ports = ports;
    this.name = name;
    this.address = `${name}:1024`;
    this.clock = new MachineClock(timeline);
    this.tape = new Tape(chance(`machine ${name}`));
    this.disk = new Disk(`${folder}/${name}`, open, chance(`disk ${name}`));
  }

  get is_on(): boolean {
    return this.state === 'on' && !this.disk.is_dead;
  }

  /** Whether its process has begun, and not only started to. */
  get is_up(): boolean {
    return this.#runtime !== null;
  }

  /** Of a machine that is on. */
  get runtime(): Runtime {
    if (this.#runtime === null) throw new Error(`${this.name} is ${this.state}`);
    return this.#runtime;
  }

  /** Its database, for those who see everything: what they ask counts for nothing and meets no fault. */
  db(): Db {
    const db = this.state === 'off' || this.state === 'destroyed' ? null : this.disk.raw;
    if (db === null) throw new Error(`${this.name} is ${this.state}`);
    return db;
  }

  /** The same as its process has it. */
  connection(): Db {
    if (this.#connection === null) throw new Error(`${this.name} is ${this.state}`);
    return this.#connection;
  }

  get device_ids(): Id[] {
    return this.runtime.engine.identities().map(({ device_id }) => device_id);
  }

  #timers(): Timers {
    const process = this.#process;
    const guarded = (run: () => void) => () => {
      if (process !== this.#process || this.disk.is_dead) return;
      if (this.state === 'asleep') this.#stalled.push(guarded(run));
      else if (this.state === 'on') this.#survive(run);
    };
    const { timeline } = this.#ports;
    return {
      set: (run, delay_ms) => timeline.after(delay_ms, guarded(run)),
      soon: (run) => void timeline.after(0, guarded(run)),
    };
  }

  /** What a process does after its end is nothing to anybody. */
  #survive(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      if (!this.disk.is_dead) throw thrown;
    }
  }

  /** Switches it on. False where the disk failed before it was up. */
  boot(): boolean {
    if (this.state !== 'off') return false;
    const { protocol, network, timeline, jobs_yaml } = this.#ports;
    this.#process += 1;
    const process = this.#process;
    const is_same = () => process === this.#process;
    network.up(this.name);
    this.state = 'on';
    this.on_since_ms = timeline.now_ms;
    try {
      const db = this.disk.open();
      this.#connection = db;
      const runtime = new Runtime({
        db,
        path: this.disk.path,
        protocol,
        clock: this.clock,
        random: this.tape,
        timers: this.#timers(),
        transport: network.transport(this.name),
        log: (level, event, details) => {
          if (is_same()) this.#ports.on_log(this, level, event, details);
        },
        on_commit: (effects) => {
          if (is_same()) this.#ports.on_commit(this, effects);
        },
      });
      runtime.scheduler.load(
        loadJobs([{ name: 'jobs.yaml', file: 'sim', value: jobs_yaml() }], protocol, {}),
      );
      this.#runtime = runtime;
      this.#ports.on_boot(this, runtime);
      void runtime.sessions.listen(this.address);
      runtime.begin(this.address);
      return true;
    } catch (thrown) {
      if (!this.disk.is_dead && !this.disk.is_failing) throw thrown;
      this.crash(false);
      timeline.after(60_000, () => this.boot());
      return false;
    }
  }

  /** Jobs run at other times from here on. */
  reschedule(): void {
    const { protocol, jobs_yaml } = this.#ports;
    this.runtime.scheduler.load(
      loadJobs([{ name: 'jobs.yaml', file: 'sim', value: jobs_yaml() }], protocol, {}),
    );
    this.runtime.tick();
  }

  /** As `kill -9` does, or a power cut. */
  crash(with_power: boolean): void {
    if (this.state === 'destroyed' || (this.state === 'off' && !this.disk.is_dead)) return;
    this.crashes += 1;
    this.#over();
    this.#ports.network.down(this.name, !with_power);
    this.disk.die(with_power);
    this.disk.is_dead = false;
  }

  #over(): void {
    this.#process += 1;
    this.#runtime?.devices.close();
    this.#runtime = null;
    this.#connection = null;
    this.#stalled = [];
    this.state = 'off';
  }

  /** Switches it off as one should. */
  stop(): void {
    if (this.state !== 'on') return;
    const runtime = this.#runtime;
    // The end of it is a matter of microtasks: no time passes.
    void runtime?.close().catch(() => undefined);
    this.#over();
    this.#ports.network.down(this.name, true);
  }

  /** Returns a number for `wake`, so that it is not woken from another sleep than this. */
  sleep(): number {
    if (this.state !== 'on') return this.#naps;
    this.#naps += 1;
    this.state = 'asleep';
    this.#asleep_since_ms = this.#ports.timeline.now_ms;
    this.#ports.network.down(this.name, false);
    return this.#naps;
  }

  wake(nap = this.#naps): void {
    if (this.state !== 'asleep' || nap !== this.#naps) return;
    this.state = 'on';
    this.on_since_ms = this.#ports.timeline.now_ms;
    this.clock.slept_ms += this.on_since_ms - this.#asleep_since_ms;
    this.#ports.network.up(this.name);
    for (const run of this.#stalled.splice(0)) run();
  }

  destroy(): void {
    if (this.state !== 'off') {
      this.#over();
      this.#ports.network.down(this.name, false);
    }
    this.disk.destroy();
    this.state = 'destroyed';
  }
}
