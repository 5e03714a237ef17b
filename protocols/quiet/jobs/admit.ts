/** Lets in whoever holds a good invite and was not let in when they came: the member they met was not entitled, or its word no longer counts. */
import { event } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { getJoinersToAdmit } from '../events/admit/queries.ts';
import { admit } from '../events/admit/schema.ts';

const BATCH = 100;

export const admitJoinersJob = job(
  { description: 'Lets in who holds a good invite.', params: {}, for_each: 'network', batch: BATCH },
  (query) =>
    query(getJoinersToAdmit, { joiner_id: null, limit: BATCH }).map(({ joiner_id }) =>
      event(admit, { joiner_id }),
    ),
);
