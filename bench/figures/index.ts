/** All figures, in the order in which they are measured and shown: what leaves stores behind for others comes first. */
import { atMost, type Figure, type ValueSpec } from '../figure.ts';
import type { Line } from '../line.ts';
import { SOAK_VALUES } from '../soak-values.ts';
import { agree } from './agree.ts';
import { delta } from './delta.ts';
import { dueCheck } from './due-check.ts';
import { idle } from './idle.ts';
import { jobs } from './jobs.ts';
import { read } from './read.ts';
import { send } from './send.ts';
import { shown } from './shown.ts';
import { start } from './start.ts';
import { sync } from './sync.ts';
import { ten } from './ten.ts';

export const FIGURES: readonly Figure[] = [
  ...sync,
  ...delta,
  ...agree,
  send,
  shown,
  read,
  jobs,
  dueCheck,
  idle,
  ...start,
  ...ten,
];

const SPECS = new Map(FIGURES.flatMap((figure) => Object.entries(figure.values)));
SPECS.set('sync_receiver_rss_mb', {
  unit: 'MB',
  what: 'the most memory that a receiver had, at any size that was measured',
  target: atMost(150),
});

for (const [name, spec] of Object.entries(SOAK_VALUES)) SPECS.set(name, spec);

/** What is asked of a value; undefined for one that is not ours. */
export const specOf = (name: string): ValueSpec | undefined => SPECS.get(name);

/** All names, in their order, with those that follow from others and those of the soak. */
export const NAMES: readonly string[] = [...SPECS.keys()];

/** Lines that follow from others. */
export const DERIVED: readonly ((lines: readonly Line[]) => Line | null)[] = [
  (lines) => {
    const of_sizes = lines.filter(({ name }) => /^sync_\d+[km]_receiver_rss_mb$/.test(name));
    const worst = of_sizes.toSorted((one, other) => other.value - one.value)[0];
    return worst === undefined ? null : { ...worst, name: 'sync_receiver_rss_mb' };
  },
];
