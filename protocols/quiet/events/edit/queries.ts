import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The newest edit of a message, and where the message is. */
export const getLatestEdit = query({
  description: 'The newest edit of a message.',
  params: { message_id: id() },
  row: { edit_id: id(), created_ms: integer() },
  sql: `
    SELECT v.id AS edit_id, v.created_ms FROM event e JOIN edit x ON x.message = e.n JOIN event v ON v.n = x.event
    WHERE e.identity = :identity AND e.id = :message_id ORDER BY v.created_ms DESC, v.id DESC LIMIT 1`,
});

/** Number and time of an event of any state in its author's chain, from its header. */
export const getHeaderFacts = query({
  description: 'When an event was made, and its number in its chain.',
  params: { event_id: id() },
  row: { created_ms: integer(), seq: integer() },
  sql: 'SELECT created_ms, seq FROM event WHERE identity = :identity AND id = :event_id',
});
