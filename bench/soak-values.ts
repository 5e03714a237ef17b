/** What `soak.ts` prints, and what is asked of it. */
import { atMost, type ValueSpec } from './figure.ts';

export const SOAK_VALUES = {
  soak_minutes: { unit: 'minutes', what: 'that connections broke for', target: null },
  soak_messages: { unit: 'messages', what: 'said meanwhile', target: null },
  soak_lines_broken: { unit: 'lines', what: 'broken meanwhile', target: null },
  soak_converged_ms: {
    unit: 'ms',
    what: 'from the last break until all nodes show the same; missing where they never did',
    target: atMost(60_000),
  },
  soak_rss_mb: { unit: 'MB', what: 'memory of a node at the end', target: null },
  soak_rss_growth_mb: {
    unit: 'MB',
    what: 'more than in the second quarter of the time, at half of the nodes',
    target: atMost(10),
  },
  soak_rss_slope_mb_per_hour: {
    unit: 'MB/h',
    what: 'of the line through all samples after the first quarter',
    target: null,
  },
} as const satisfies Record<string, ValueSpec>;
