/** Finds gaps in the chains of others while there is still somebody to ask: what counts of who is removed one day is an unbroken chain. */
import { instruct } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { getFoundLinks, getUnscanned } from '../events/chain-scan/queries.ts';
import { chainScan, SCANNED_MAX } from '../events/chain-scan/schema.ts';

export const findMissingLinksJob = job(
  {
    description: 'Looks for events whose header is missing in a chain.',
    params: {},
    for_each: 'network',
    batch: 1,
  },
  (query) => {
    const looked_at = query(getUnscanned, { limit: SCANNED_MAX });
    const found = query(getFoundLinks, { limit: SCANNED_MAX }).map(({ event_id }) => event_id);
    const last = looked_at.at(-1);
    if (last === undefined) return [];
    const missing = new Set(looked_at.flatMap((row) => (row.missing === null ? [] : [row.missing])));
    return [instruct(chainScan, { through_n: last.n, missing: [...missing], found })];
  },
);
