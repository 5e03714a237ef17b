/** What hangs on the dead and was too much to die with them: taken along in batches, before anything is sealed anew that is going to die. */
import { type Envelope, instruct } from '../../../core/envelope.ts';
import type { Query } from '../../../core/query.ts';
import { getDyingEvents } from '../events/delete-event/queries.ts';
import { deleteEvent } from '../events/delete-event/schema.ts';
import { CHUNKS } from './chunks.ts';

/** A full batch for one of the dying; an empty list where there are none. */
export function takenAlong(query: Query): Envelope[] {
  const dying = query(getDyingEvents, { limit: 1 })[0];
  if (dying === undefined) return [];
  const event_ids = [dying.event_id];
  return Array.from({ length: CHUNKS }, () => instruct(deleteEvent, { event_ids, why: 'hanging' }));
}
