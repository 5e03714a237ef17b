/** After a rekeying: wraps under dirty keys go where the new one is stored and opens. */
import { instruct } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { getSuccessfullyRekeyedEvents } from '../events/delete-event/queries.ts';
import { deleteEvent } from '../events/delete-event/schema.ts';
import { CHUNK, CHUNKS, chunksOf } from '../rules/chunks.ts';

export const deleteRekeyedEventsJob = job(
  {
    description: 'Removes what a rekeying has replaced.',
    params: {},
    for_each: 'network',
    batch: CHUNKS,
    destructive: true,
  },
  (query) => {
    const rekeyed = query(getSuccessfullyRekeyedEvents, { limit: CHUNK * CHUNKS });
    return chunksOf(rekeyed.map((row) => row.original_event_id)).map((event_ids) =>
      instruct(deleteEvent, { event_ids, why: 'rekeyed' }),
    );
  },
);
