/** Says in the private groups of this device where removed devices' chains end, and where lost rights last counted: only their members can. */
import { job } from '../../../core/sources.ts';
import { closings } from '../rules/removal.ts';

export const closeGroupsJob = job(
  {
    description: 'Cuts removed devices off in private groups.',
    params: {},
    for_each: 'network',
  },
  (query) => closings(query),
);
