import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** What concerns the user of this node, newest first. */
export const getNotifications = query({
  description: 'What concerns the user of this node, newest first.',
  params: { limit: integer(1, 1000) },
  row: { event_id: id(), type: text(64), about_id: id(), noticed_ms: integer() },
  sql: `
    SELECT e.id AS event_id, e.type, a.id AS about_id, n.noticed_ms
    FROM notification n JOIN live_event e ON e.n = n.event JOIN event a ON a.n = n.about AND (a.body IS NOT NULL OR a.superseded = 1)
    WHERE e.identity = :identity ORDER BY n.noticed_ms DESC, n.event DESC LIMIT :limit`,
});
