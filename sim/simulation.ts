/**
 * One simulation: machines on a network, people who use them, faults, and the promises that are looked after all the while. It runs what a scenario says,
 * then lets all faults end and demands progress.
 */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SottoError } from '../core/assert.ts';
import type { Id } from '../core/fields.ts';
import type { AfterCommit } from '../core/outcome.ts';
import { assembleProtocol, type Protocol } from '../core/protocol.ts';
import type { Runtime } from '../hosts/runtime.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { Chance } from './chance.ts';
import { Checks } from './checks.ts';
import type { Open } from './disk.ts';
import { Machine } from './machine.ts';
import { Marks } from './marks.ts';
import { SimulatedNetwork } from './network.ts';
import { People } from './people.ts';
import { jobsAt, type Pace, type Scenario, spans } from './scenario.ts';
import { watchNonces } from './secrets.ts';
import { Settling } from './settling.ts';
import { Timeline } from './timeline.ts';
import { Truth, Violation } from './truth.ts';

const quietProtocol: Protocol = assembleProtocol([quiet]);
const FOUNDING_NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];

export interface SimulationOptions {
  readonly open?: Open;
  /** Told one line for each thing that happens. */
  readonly on_line?: (line: string) => void;
  /** Jobs of the settling run so many times as often, in another order of their offsets. */
  readonly settling_factor?: number;
}

export interface Finished {
  readonly violation: Violation | null;
  /** Over every line of the trace. */
  readonly digest: string;
  readonly simulated_ms: number;
  readonly marks: ReadonlyMap<string, number>;
  readonly log: readonly string[];
  /** What everybody shows at the end: the same, whenever jobs ran. */
  readonly shown: readonly string[];
}

/** Memory where there is some: nothing of a simulation has to outlive it. */
const FAST_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** One identity of one machine that is on. */
export interface Place {
  readonly machine: Machine;
  readonly identity: number;
  readonly network_id: Id;
  /** The same after any restart. */
  readonly key: string;
}

export class Simulation {
  readonly scenario: Scenario;
  readonly timeline = new Timeline();
  readonly network: SimulatedNetwork;
  readonly protocol = quietProtocol;
  readonly truth = new Truth();
  readonly marks = new Marks();
  readonly machines = new Map<string, Machine>();
  readonly folder: string;
  readonly log: string[] = [];
  readonly checks: Checks;
  readonly people: People;
  /** Devices whose owners do what they want. */
  readonly hostile_devices = new Set<Id>();
  /** Machines that began as copies of others. */
  readonly clones = new Set<string>();
  /** How often jobs run now. */
  pace: Pace;
  steps_done = 0;
  /** So many times as far apart as usual do jobs run. */
  jobs_factor = 1;
  readonly #options: SimulationOptions;
  readonly #hash: Hash = createHash('sha256');
  /** The first thing that broke outside of a check: in the middle of a happening. */
  #violation: Violation | null = null;

  constructor(scenario: Scenario, options: SimulationOptions = {}) {
    this.scenario = scenario;
    this.pace = scenario.pace;
    this.#options = options;
    this.folder = mkdtempSync(join(FAST_FOLDER, 'sotto-sim-'));
    this.network = new SimulatedNetwork(this.timeline, this.chance('network'));
    this.checks = new Checks(this);
    this.people = new People(this);
    this.network.on_message = ({ from, to, bytes }) => this.trace(`${from} > ${to} ${bytes}`);
  }

  chance = (purpose: string): Chance => new Chance(this.scenario.seed, purpose);

  /** A line of the trace: part of what must be the same each time. */
  trace(line: string): void {
    const whole = `${this.timeline.now_ms} ${line}`;
    this.#hash.update(whole).update('\n');
    this.#options.on_line?.(whole);
  }

  /** A line for people: what was done. */
  say(line: string): void {
    this.log.push(`${timeOf(this.timeline.now_ms)}  ${line}`);
    this.trace(line);
  }

  note(violation: unknown): void {
    if (violation instanceof Violation) this.#violation ??= violation;
    else throw violation;
  }

  machine(name: string): Machine {
    const known = this.machines.get(name);
    if (known !== undefined) return known;
    const machine = new Machine({
      name,
      folder: this.folder,
      timeline: this.timeline,
      network: this.network,
      protocol: quietProtocol,
      chance: this.chance,
      open: this.#options.open ?? openNodeSqlite,
      jobs_yaml: () => jobsAt(this.pace, this.jobs_factor),
      on_commit: (of, effects) => this.#committed(of, effects),
      on_log: (of, level, event, details) => {
        this.trace(`${of.name} ${level} ${event}`);
        this.checks.logged(of, level, event, details);
      },
      on_boot: (of, runtime) => this.checks.booted(of, runtime),
    });
    this.machines.set(name, machine);
    return machine;
  }

  #committed(machine: Machine, effects: readonly AfterCommit[]): void {
    try {
      this.checks.committed(machine, effects);
    } catch (thrown) {
      this.note(thrown);
    }
  }

  get on(): Machine[] {
    return [...this.machines.values()].filter(({ is_on }) => is_on);
  }

  /** Identities with a network, on machines that are on. */
  places(machines: readonly Machine[] = this.on): Place[] {
    return machines.flatMap((machine) => {
      try {
        return machine.runtime.engine
          .identities()
          .filter((row) => row.network_id !== null)
          .map(({ identity, network_id }) => ({
            machine,
            identity,
            network_id: network_id!,
            key: `${machine.name} ${network_id}`,
          }));
      } catch (thrown) {
        return this.excused(machine, thrown, []);
      }
    });
  }

  /** What a disk that fails excuses; everything else is thrown on. */
  excused<T>(machine: Machine, thrown: unknown, instead: T): T {
    if (machine.disk.is_dead || machine.disk.is_failing || machine.disk.faults_met > 0) return instead;
    throw thrown;
  }

  /** What somebody asks a machine for; null where it is refused, or the disk fails. */
  command(
    { machine, identity }: Pick<Place, 'machine' | 'identity'>,
    name: string,
    input: object,
    secrets: Readonly<Record<string, Uint8Array>> = {},
  ): ReturnType<Runtime['engine']['command']> | null {
    const faults_before = machine.disk.faults_met;
    let result: ReturnType<Runtime['engine']['command']>;
    try {
      result = machine.runtime.engine.command(name, identity, input, secrets);
    } catch (thrown) {
      if (machine.disk.is_dead || machine.disk.faults_met > faults_before) {
        this.say(`  (the disk of ${machine.name} failed)`);
        return null;
      }
      if (thrown instanceof SottoError && thrown.code !== 'assertion_failed') {
        this.say(`  (refused: ${thrown.code})`);
        return null;
      }
      throw thrown;
    }
    this.checks.acknowledged(machine, result);
    return result;
  }

  query<Row = Record<string, unknown>>(
    { machine, identity }: Pick<Place, 'machine' | 'identity'>,
    name: string,
    params: object = {},
  ): readonly Row[] {
    return machine.runtime.engine.query(name, params, identity) as readonly Row[];
  }

  /** Machines whose process has met its end go off, and come back after a while. */
  #bury(): void {
    for (const machine of this.machines.values()) {
      if (!machine.disk.is_dead || machine.state === 'off' || machine.state === 'destroyed') continue;
      this.say(`${machine.name} is dead, at "${machine.disk.died_at}"`);
      this.marks.died(machine);
      machine.crash(false);
      const back_ms = 1_000 + this.chance(`back ${machine.name} ${machine.crashes}`).below(90_000);
      this.timeline.after(back_ms, () => this.boot(machine));
    }
    if (this.#violation !== null) throw this.#violation;
  }

  boot(machine: Machine): void {
    if (machine.state !== 'off') return;
    this.say(`${machine.name} is switched on`);
    if (machine.boot()) this.checks.look(machine);
  }

  async pass(ms: number): Promise<void> {
    await this.timeline.until(this.timeline.now_ms + ms, () => this.#bury());
    this.#bury();
  }

  /** Waits as long as it takes, in steps. */
  async passUntil(what: string, holds: () => boolean, most_ms: number): Promise<boolean> {
    const end_ms = this.timeline.now_ms + most_ms;
    while (!holds()) {
      if (this.timeline.now_ms >= end_ms) {
        this.trace(`not until ${what}`);
        return false;
      }
      await this.pass(2_000);
    }
    return true;
  }

  /** At other times, and so in another order, than until now. */
  changeJobs(factor: number): void {
    this.jobs_factor = factor;
    for (const machine of this.on) machine.reschedule();
  }

  async run(): Promise<Finished> {
    const { scenario } = this;
    let violation: Violation | null = null;
    let shown: readonly string[] = [];
    const stop_watching = watchNonces((thrown) => this.note(thrown));
    try {
      await this.people.found(FOUNDING_NAMES.slice(0, scenario.machines));
      for (const step of scenario.steps) {
        await this.pass(step.after_ms);
        this.people.take(step);
        this.steps_done += 1;
        this.#bury();
        this.checks.lookAtAll();
      }
      const settling = new Settling(this, this.#options.settling_factor ?? 1);
      await settling.run();
      shown = settling.shown();
    } catch (thrown) {
      if (thrown instanceof Violation) violation = thrown;
      else violation = new Violation('F3', `${(thrown as Error).stack?.split('\n').slice(0, 6).join(' | ')}`);
    } finally {
      stop_watching();
      for (const machine of this.machines.values()) if (machine.state !== 'destroyed') machine.destroy();
      rmSync(this.folder, { recursive: true, force: true });
    }
    return {
      violation,
      digest: this.#hash.digest('hex'),
      simulated_ms: this.timeline.now_ms,
      marks: this.marks.counts,
      log: this.log,
      shown,
    };
  }

  isLocal(type: string): boolean {
    return quietProtocol.types.get(type)?.value.class === 'local';
  }

  /** Devices that belong to a network that they know of, and whose owners do as they should. */
  honestDevices(): Set<Id> {
    const honest = new Set<Id>();
    for (const place of this.places()) {
      const device_id = place.machine.runtime.engine.identity(place.identity)?.device_id;
      if (device_id !== undefined && !this.hostile_devices.has(device_id) && !this.isOut(place))
        honest.add(device_id);
    }
    return honest;
  }

  /** Whether this device was removed or has left, or was never let in, as far as it knows. */
  isOut(place: Place): boolean {
    const device_id = place.machine.runtime.engine.identity(place.identity)?.device_id;
    return (
      this.query(place, 'is_member', { device_id }).length === 0 ||
      this.query(place, 'is_removed_device', { device_id }).length > 0
    );
  }
}

export function timeOf(ms: number): string {
  const { DAY_MS } = spans;
  const days = Math.floor(ms / DAY_MS);
  const time = new Date(ms % DAY_MS).toISOString().slice(11, 23);
  return days === 0 ? time : `${days} d ${time}`;
}
