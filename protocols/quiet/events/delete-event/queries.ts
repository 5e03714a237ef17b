import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/**
 * What has expired by `current_time_ms` and is still here, stored or waiting: the oldest first. Also what lived on with the words of an edit: what hangs
 * on it must not outlive it.
 */
export const getExpiredEvents = query({
  description: 'Events that have expired and are not dead yet.',
  params: { current_time_ms: integer(), limit: integer(1, 10_000) },
  row: { event_id: id(), expires_ms: integer() },
  sql: `
    SELECT id AS event_id, expires_ms FROM event
      WHERE identity = :identity AND (body IS NOT NULL OR superseded = 1) AND expires_ms < 9007199254740991 AND expires_ms <= :current_time_ms
    UNION ALL SELECT id, expires_ms FROM waiting WHERE identity = :identity AND expires_ms <= :current_time_ms
    ORDER BY expires_ms LIMIT :limit`,
});

/** The dead on which more hangs than could die with them at once. */
export const getDyingEvents = query({
  description: 'Dead events of which not all that hangs on them is dead yet.',
  params: { limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: 'SELECT e.id AS event_id FROM dying d JOIN event e ON e.n = d.event WHERE d.identity = :identity ORDER BY d.event LIMIT :limit',
});

/** Events that were sealed anew under a clean key, and still have wraps under dirty ones. Whether the new wrap opens is asked where these are removed. */
export const getSuccessfullyRekeyedEvents = query({
  description: 'Events sealed anew whose old wraps are still here.',
  params: { limit: integer(1, 10_000) },
  row: { original_event_id: id() },
  sql: `
    SELECT e.id AS original_event_id
    FROM group_key k JOIN wrap w ON w.key = k.n AND w.replaced = 1 AND w.sealed IS NOT NULL JOIN event e ON e.n = w.of
    WHERE k.identity = :identity AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL AND e.body IS NOT NULL LIMIT :limit`,
});
