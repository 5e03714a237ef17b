/** Cuts devices that were removed from the network off in the private groups that this device is in: only their members can say where. */
import { job } from '../../../core/sources.ts';
import { CLOSED_MAX, closingRemovals } from '../rules/removal.ts';

export const closeGroupsJob = job(
  {
    description: 'Cuts removed devices off in private groups.',
    params: {},
    for_each: 'network',
    batch: CLOSED_MAX,
  },
  (query) => closingRemovals(query),
);
