/**
 * Whether the machine's clock can be believed. A wrong year must not destroy keys, so an unexplained jump makes the
 * clock suspect, in the database and across restarts, until other people's clocks or the user say that it is right.
 *
 * `look` reads and judges without changing anything; `write` stores the judgement inside a transaction; `keep` follows
 * once that is durable. So a failed transaction forgets no jump.
 */
import type { Clock } from './clock.ts';
import type { Db, Statement } from './db.ts';
import type { Id } from './fields.ts';
import { limits } from './limits.ts';
import { inWords } from './schedule.ts';

/** How far the clock of somebody else's device is ahead of ours, measured by this process in a session with it. */
export interface Witness {
  readonly identity: number;
  readonly user_id: Id;
  readonly offset_ms: number;
  /** Our wall time when it was measured. */
  readonly seen_ms: number;
}

export interface ClockPorts {
  readonly db: Db;
  readonly clock: Clock;
  readonly witnesses: () => readonly Witness[];
  /** How many other users this node knows. */
  readonly other_users: () => number;
}

export interface StoredClock {
  readonly highest_ms: number | null;
  readonly suspect_since_ms: number | null;
  readonly reason: string | null;
}

/** One reading of the clock and what follows from it. */
export interface Look {
  readonly now_ms: number;
  readonly monotonic_ms: number;
  readonly clock: StoredClock;
  readonly suspect: boolean;
  /** The wall clock went back, by however little. */
  readonly went_back: boolean;
  /** The suspicion ended with this look. */
  readonly cleared: boolean;
  /** What was measured against the clock before this look says nothing about it now. */
  readonly stale_witnesses: boolean;
  /** Whether `write` is worth a transaction of its own. */
  readonly worth_writing: boolean;
}

export interface ClockStatus {
  readonly suspect: boolean;
  readonly since_ms: number | null;
  readonly reason: string | null;
  readonly highest_ms: number | null;
  /** Other users whose clocks agree with ours, counted since the suspicion. */
  readonly agreeing: number;
  /** How many are needed; null where there is nobody to ask, so that only the user can confirm. */
  readonly needed: number | null;
}

interface Reading {
  readonly wall_ms: number;
  readonly monotonic_ms: number;
}

/**
 * What makes the clock suspect, or null. Between two looks of one process the monotonic clock explains the time that
 * passed; across a restart it cannot be compared, and only the highest time ever seen is left to judge by.
 * (That one is not asked while the clock is suspect: it does not grow then, and the same jump would be found again and again.)
 */
export function jumpOf(stored: StoredClock, last: Reading | null, now: Reading): string | null {
  const unexplained_ms =
    last === null ? 0 : now.wall_ms - last.wall_ms - (now.monotonic_ms - last.monotonic_ms);
  if (unexplained_ms > limits.clock_forward_suspect_ms)
    return `it went forward ${inWords(unexplained_ms)} that nothing explains`;
  if (unexplained_ms < -limits.clock_backward_suspect_ms) return `it went back ${inWords(unexplained_ms)}`;
  if (stored.suspect_since_ms !== null || stored.highest_ms === null) return null;
  const since_highest_ms = now.wall_ms - stored.highest_ms;
  if (since_highest_ms < -limits.clock_backward_suspect_ms)
    return `it is ${inWords(since_highest_ms)} behind the highest time seen`;
  if (last === null && since_highest_ms > limits.clock_forward_suspect_ms) {
    return `it is ${inWords(since_highest_ms)} ahead of the time when this node last ran`;
  }
  return null;
}

/** How many other users have to agree: two, or one where there is only one; null where there is none. */
export function witnessesNeeded(other_users: number): number | null {
  return other_users === 0 ? null : Math.min(2, other_users);
}

const keyOf = (witness: Witness) =>
  `${witness.identity} ${witness.user_id} ${witness.seen_ms} ${witness.offset_ms}`;

export class ClockGuard {
  readonly #ports: ClockPorts;
  readonly #read: Statement;
  readonly #write: Statement;
  #last: Reading | null = null;
  #highest_ms: number;
  /** Measurements made before the clock became suspect: they agreed with another clock. */
  #stale: ReadonlySet<string> = new Set();

  constructor(ports: ClockPorts) {
    this.#ports = ports;
    this.#read = ports.db.prepare('SELECT highest_ms, suspect_since_ms, reason FROM scheduler_clock');
    this.#highest_ms = this.#stored().highest_ms ?? 0;
    this.#write = ports.db.prepare(
      `UPDATE scheduler_clock
       SET highest_ms = :highest_ms, suspect_since_ms = :suspect_since_ms, reason = :reason`,
    );
  }

  look(): Look {
    const now = {
      wall_ms: Math.floor(this.#ports.clock.wall_ms()),
      monotonic_ms: this.#ports.clock.monotonic_ms(),
    };
    const stored = this.#stored();
    const last = this.#last;
    const jump = jumpOf(stored, last, now);
    const before_ms = last === null ? stored.highest_ms : last.wall_ms;
    const suspicion =
      jump === null
        ? stored
        : { ...stored, reason: jump, suspect_since_ms: stored.suspect_since_ms ?? now.wall_ms };
    const suspect = suspicion.suspect_since_ms !== null;
    const drift_ms =
      last === null
        ? Infinity
        : Math.abs(now.wall_ms - last.wall_ms - (now.monotonic_ms - last.monotonic_ms));
    const stale_witnesses = suspect && (jump !== null || drift_ms > limits.clock_agree_ms);
    const cleared = suspect && !stale_witnesses && this.#agreed();

    // What is stored lags behind by a moment, and what has expired meanwhile has expired.
    const believed_ms = Math.max(stored.highest_ms ?? 0, this.#highest_ms);
    const highest_ms = Math.max(believed_ms, now.wall_ms);
    const went_back = before_ms !== null && now.wall_ms < before_ms;
    return {
      now_ms: now.wall_ms,
      monotonic_ms: now.monotonic_ms,
      clock: cleared
        ? believed(now.wall_ms)
        : suspect
          ? { ...suspicion, highest_ms: believed_ms }
          : { ...stored, highest_ms },
      suspect: suspect && !cleared,
      went_back,
      cleared,
      stale_witnesses,
      worth_writing:
        jump !== null ||
        cleared ||
        went_back ||
        (!suspect && highest_ms - (stored.highest_ms ?? 0) > limits.clock_persist_ms),
    };
  }

  /** As `look`, with the user's word that the clock is right. */
  lookConfirmed(): Look {
    const look = this.look();
    return {
      ...look,
      clock: believed(look.now_ms),
      suspect: false,
      cleared: true,
      stale_witnesses: false,
      worth_writing: true,
    };
  }

  /** Stores what a look found. Inside a transaction. */
  write(look: Look): void {
    this.#write.run({ ...look.clock });
  }

  /** From here on, later looks are compared with this one. After the transaction. */
  keep(look: Look): void {
    this.#last = { wall_ms: look.now_ms, monotonic_ms: look.monotonic_ms };
    this.#highest_ms = look.clock.highest_ms ?? 0;
    if (look.stale_witnesses) this.#stale = new Set(this.#ports.witnesses().map(keyOf));
  }

  /** The highest time that was believed. */
  highestMs(): number {
    return this.#highest_ms;
  }

  status(): ClockStatus {
    const stored = this.#stored();
    return {
      suspect: stored.suspect_since_ms !== null,
      since_ms: stored.suspect_since_ms,
      reason: stored.reason,
      highest_ms: stored.highest_ms,
      agreeing: this.#agreeing(),
      needed: witnessesNeeded(this.#ports.other_users()),
    };
  }

  #stored(): StoredClock {
    const row = this.#read.get();
    return {
      highest_ms: (row?.highest_ms ?? null) as number | null,
      suspect_since_ms: (row?.suspect_since_ms ?? null) as number | null,
      reason: (row?.reason ?? null) as string | null,
    };
  }

  #agreeing(): number {
    const fresh = this.#ports.witnesses().filter((witness) => !this.#stale.has(keyOf(witness)));
    const agreeing = fresh.filter((witness) => Math.abs(witness.offset_ms) <= limits.clock_agree_ms);
    return new Set(agreeing.map((witness) => witness.user_id)).size;
  }

  #agreed(): boolean {
    const needed = witnessesNeeded(this.#ports.other_users());
    return needed !== null && this.#agreeing() >= needed;
  }
}

/** A clock that is taken as right from now on: what it showed before no longer counts. */
function believed(now_ms: number): StoredClock {
  return { highest_ms: now_ms, suspect_since_ms: null, reason: null };
}
