/**
 * What a figure of the suite is: the values it yields, what each must reach, and how one run is measured. Each file in `figures/` holds those that
 * answer one question; `figures/index.ts` lists them all.
 */
import type { Stores } from './support/stores.ts';

/** What a value has to reach, on two cores. */
export interface Target {
  readonly at: 'least' | 'most';
  readonly value: number;
}

export interface ValueSpec {
  readonly unit: string;
  /** One line for the table in docs/performance.md. */
  readonly what: string;
  /** null: told for information. */
  readonly target: Target | null;
}

/** What one run gave, by name. `ceiling`: what was measured beside it, in the same run, as the most that could be had. */
export type Run = Readonly<Record<string, number | { readonly value: number; readonly ceiling: number }>>;

export interface Figure {
  readonly values: Readonly<Record<string, ValueSpec>>;
  /**
   * Yields one run after the other, for as long as it is asked. What is prepared once stands before the first `yield`, what has to be ended in a
   * `finally`: the runner ends it when it has had enough.
   */
  readonly measure: (bench: Bench) => AsyncGenerator<Run, void, void>;
}

/** What the runner gives to all figures. */
export interface Bench {
  /** A folder of this invocation, gone with it. */
  readonly folder: string;
  readonly stores: Stores;
  /** One line of progress, on stderr. */
  readonly say: (text: string) => void;
}

export const atLeast = (value: number): Target => ({ at: 'least', value });
export const atMost = (value: number): Target => ({ at: 'most', value });

/** Whether a value is what it has to be; null where nothing is asked of it. */
export function isReached(target: Target | null, value: number): boolean | null {
  if (target === null) return null;
  return target.at === 'least' ? value >= target.value : value <= target.value;
}

/** Sizes of histories, as names say them. */
export const SIZES = { '10k': 10_000, '100k': 100_000, '1m': 1_000_000 } as const;
export type Size = keyof typeof SIZES;
