/**
 * The two things a pure function may never fetch for itself. Everything that needs time or randomness gets them from
 * here, so that a test or a simulation decides both.
 */

export interface Clock {
  /** Milliseconds since 1970 in UTC, as the machine believes. May jump in both directions. */
  wall_ms(): number;
  /** Milliseconds from an arbitrary start, never going back, fractions allowed. */
  monotonic_ms(): number;
}

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
}
