/** The lines that the suite prints: one JSON document per value. */
import { cpus, release, totalmem } from 'node:os';

export interface Line {
  readonly name: string;
  /** The median of `runs`. */
  readonly value: number;
  readonly unit: string;
  readonly runs: readonly number[];
  /** The most that could be had, measured in the same runs: their median. */
  readonly ceiling?: number;
  readonly machine: string;
}

/** A line as it was printed by whomever. Other systems' say besides what they do per message. */
export type ReportLine = Line & { readonly peer?: Readonly<Record<string, string>> };

/** The middle one; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('expected some values to take the median of');
  return values.toSorted((one, other) => one - other)[(values.length - 1) >> 1]!;
}

/** So that `share` of the values are not above it. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Four digits that say something. */
export function rounded(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(4));
}

export function lineOf(
  name: string,
  unit: string,
  runs: readonly number[],
  ceilings: readonly number[] = [],
): Line {
  return {
    name,
    value: rounded(median(runs)),
    unit,
    runs: runs.map(rounded),
    ...(ceilings.length === 0 ? {} : { ceiling: rounded(median(ceilings)) }),
    machine: machine(),
  };
}

export function machine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${gigabytes} GB, ${process.platform} ${release()}, node ${process.version}`;
}
