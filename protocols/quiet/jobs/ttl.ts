/**
 * Takes what has expired from this device's disk. It has been invisible since its time was over; every device does this for itself, so that nobody is
 * told, and no deletion is ever made of a deletion.
 */
import { instruct } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { getExpiredEvents } from '../events/delete-event/queries.ts';
import { deleteEvent } from '../events/delete-event/schema.ts';
import { CHUNK, CHUNKS, chunksOf } from '../rules/chunks.ts';
import { takenAlong } from '../rules/dying.ts';

export const ttlCleanupJob = job(
  {
    description: 'Takes expired events off the disk.',
    params: {},
    for_each: 'network',
    batch: CHUNKS,
    destructive: true,
  },
  (query, _params, ctx) => {
    const along = takenAlong(query);
    if (along.length > 0) return along;
    const expired = query(getExpiredEvents, { current_time_ms: ctx.now_ms, limit: CHUNK * CHUNKS });
    return chunksOf(expired.map((row) => row.event_id)).map((event_ids) =>
      instruct(deleteEvent, { event_ids, why: 'expired' }),
    );
  },
);
