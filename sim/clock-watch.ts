/**
 * Wrong clocks, and what they excuse: nothing but what their owner would expect. A clock that is a little ahead is believed, so that what has a time goes
 * early; one that is far off is suspect, and takes back what it believed once others have said what time it is. S20, and of L7 what holds at any moment.
 */
import { limits } from '../core/limits.ts';
import { EPOCH_MS, type Machine } from './machine.ts';
import { spans } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import { violated } from './truth.ts';

const { MINUTE_MS } = spans;

/** A clock that is further off, or jumps by more, may be suspect. */
const FAR_MS = 4 * MINUTE_MS;
/** So long after its clock has jumped, or it has been switched on, a machine has to have found out what is due: its timer sleeps for a minute at the most. */
const SETTLES_MS = 3 * MINUTE_MS;
/** No job runs less often in a simulation, and no failed one is tried again later. */
const PERIOD_MS_MAX = 15 * MINUTE_MS;

interface Known {
  highest_ms: number;
  ahead_ms: number;
  crashes: number;
  /** It is suspect, or will be once its machine has looked at it: what it made believe may be taken back. */
  may_fall: boolean;
  jumped_at_ms: number;
  far_jumped_at_ms: number | null;
}

export class ClockWatch {
  readonly #sim: Simulation;
  readonly #known = new Map<string, Known>();
  /** Machines whose clock was ahead by less than what makes it suspect: they let things expire early. And those that were ahead by more. */
  readonly #slightly_ahead = new Set<string>();
  readonly #far_ahead = new Set<string>();
  readonly #ever_wrong = new Set<string>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  #of({ name }: Machine): Known {
    let known = this.#known.get(name);
    if (known === undefined)
      known = {
        highest_ms: 0,
        ahead_ms: 0,
        crashes: 0,
        may_fall: false,
        jumped_at_ms: 0,
        far_jumped_at_ms: null,
      };
    this.#known.set(name, known);
    return known;
  }

  /** Looks at all clocks, also of machines that are off. */
  note(): void {
    const { timeline, machines } = this.#sim;
    const right_ms = EPOCH_MS + timeline.now_ms;
    for (const machine of machines.values()) {
      const known = this.#of(machine);
      const ahead_ms = machine.clock.wall_ms() - right_ms;
      if (Math.abs(ahead_ms - known.ahead_ms) > 1_000) known.jumped_at_ms = timeline.now_ms;
      if (Math.abs(ahead_ms - known.ahead_ms) > FAR_MS) {
        known.may_fall = true;
        known.far_jumped_at_ms = timeline.now_ms;
      }
      known.ahead_ms = ahead_ms;
      if (Math.abs(ahead_ms) > 1_000) this.#ever_wrong.add(machine.name);
      if (ahead_ms > limits.clock_forward_suspect_ms) this.#far_ahead.add(machine.name);
      else if (ahead_ms > 1_000) this.#slightly_ahead.add(machine.name);
    }
  }

  /** It goes on with an old copy, which knows nothing of what came after. */
  setBack(machine: Machine): void {
    this.#known.delete(machine.name);
  }

  /** As late as it has ever been here, as far as it was believed: what had expired then has expired. */
  latestMs(machine: Machine): number {
    const { highest_ms, may_fall } = this.#of(machine);
    const now_ms = machine.clock.wall_ms();
    return may_fall ? now_ms : Math.max(now_ms, highest_ms);
  }

  /** Its clock was believed though it was ahead, or may have been, by the word of others whose clocks were, too. */
  mayBeEarly(machine: Machine): boolean {
    return (
      this.#slightly_ahead.has(machine.name) ||
      (this.#far_ahead.has(machine.name) && this.#far_ahead.size > 1)
    );
  }

  /** What it made bears times that nobody can account for. */
  wasEverWrong({ name }: Machine): boolean {
    return this.#ever_wrong.has(name);
  }

  look(machine: Machine): void {
    this.#highest(machine);
    this.#jobs(machine);
  }

  /** S20: the highest time that was believed never falls, unless it was suspect, and others have said what time it is. */
  #highest(machine: Machine): void {
    const known = this.#of(machine);
    const { scheduler } = machine.runtime;
    const highest_ms = scheduler.highestMs();
    const { suspect } = scheduler.clockStatus();
    if (suspect) this.#sim.marks.seen('a clock was suspect');
    // What a process had not written down yet when it ended is forgotten with it.
    const forgets_ms = known.crashes === machine.crashes ? 0 : limits.clock_persist_ms;
    if (highest_ms < known.highest_ms - forgets_ms && !known.may_fall)
      violated('S20', `${machine.name} forgot how late it is`);
    known.highest_ms = highest_ms;
    known.crashes = machine.crashes;
    const { far_jumped_at_ms } = known;
    known.may_fall = suspect || (far_jumped_at_ms !== null && !this.#isSteady(machine, far_jumped_at_ms));
  }

  /** Whether it has been on for so long since then that it has looked at its clock, and found out what is due. */
  #isSteady({ on_since_ms }: Machine, since_ms: number): boolean {
    return this.#sim.timeline.now_ms - Math.max(since_ms, on_since_ms) >= SETTLES_MS;
  }

  /** L7: what is due runs soon, and what is not due is due soon, however the clock has jumped. */
  #jobs(machine: Machine): void {
    if (!this.#isSteady(machine, this.#of(machine).jumped_at_ms) || machine.disk.faults_met > 0) return;
    const now_ms = machine.clock.wall_ms();
    const late = machine
      .db()
      .prepare(
        `SELECT job, next_due_ms FROM job_schedule WHERE disabled = 0 AND parked IS NULL AND paused_since_ms IS NULL
           AND (next_due_ms < :since OR next_due_ms > :until) LIMIT 1`,
      )
      .get({ since: now_ms - SETTLES_MS, until: now_ms + PERIOD_MS_MAX * this.#sim.jobs_factor });
    if (late === undefined) return;
    const off_ms = (late.next_due_ms as number) - now_ms;
    violated(
      'L7',
      `on ${machine.name} the job ${String(late.job)} ${off_ms < 0 ? 'is due and does not run' : `waits for ${Math.round(off_ms / MINUTE_MS)} min`}`,
    );
  }
}
