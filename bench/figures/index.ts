/** All figures, in the order in which they are measured and shown: what leaves stores behind for others comes first. */
import { atMost, type Figure, type ValueSpec } from '../figure.ts';
import type { Line } from '../line.ts';
import { agree } from './agree.ts';
import { delta } from './delta.ts';
import { send } from './send.ts';
import { shown } from './shown.ts';
import { sync } from './sync.ts';

export const FIGURES: readonly Figure[] = [...sync, ...delta, ...agree, send, shown];

const SPECS = new Map(FIGURES.flatMap((figure) => Object.entries(figure.values)));
const MEMORY: ValueSpec = {
  unit: 'MB',
  what: 'the most memory that a receiver had, at any size that was measured',
  target: atMost(150),
};
SPECS.set('sync_receiver_rss_mb', MEMORY);

/** What is asked of a value; undefined for one that is not ours. */
export const specOf = (name: string): ValueSpec | undefined => SPECS.get(name);

/** Lines that follow from others. */
export const DERIVED: readonly ((lines: readonly Line[]) => Line | null)[] = [
  (lines) => {
    const of_sizes = lines.filter(({ name }) => /^sync_\d+[km]_receiver_rss_mb$/.test(name));
    const worst = of_sizes.toSorted((one, other) => other.value - one.value)[0];
    return worst === undefined ? null : { ...worst, name: 'sync_receiver_rss_mb' };
  },
];
