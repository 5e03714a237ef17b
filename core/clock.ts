/**
 * What a pure function may never fetch for itself. Everything that needs time, randomness or a timer gets them from here, so that a test or a
 * simulation decides them.
 */

export interface Clock {
  /** Milliseconds since 1970 in UTC, as the machine believes. May jump in both directions. */
  wall_ms(): number;
  /** Milliseconds from an arbitrary start, never going back, fractions allowed. */
  monotonic_ms(): number;
}

/** Timers as Node and browsers have them; a simulation brings its own. */
export interface Timers {
  /** Runs something once, after a delay. Returns what takes it back. */
  set(run: () => void, delay_ms: number): () => void;
  /** Soon, after what waits already. */
  soon(run: () => void): void;
}

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
}
