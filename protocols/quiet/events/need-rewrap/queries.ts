import { id } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if an event is under a dirty key, as far as this node knows: it is sealed anew before it is sent. */
export const isUnderDirtyKey = query({
  description: 'One row if the event has been under a key that is dirty.',
  params: { event_id: id() },
  row: { event_id: id() },
  sql: `
    SELECT e.id AS event_id FROM event e JOIN wrap w ON w.of = e.n JOIN group_key k ON k.n = w.key
    WHERE e.identity = :identity AND e.id = :event_id AND e.body IS NOT NULL AND w.sealed IS NOT NULL AND k.dirty_ms IS NOT NULL LIMIT 1`,
});
