import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** How long new messages in a channel live; no row where nobody has said. */
export const getRetention = query({
  description: 'How long new messages in a channel live, in milliseconds; 0 for ever.',
  params: { channel_id: id() },
  row: { ttl_ms: integer(), said_ms: integer() },
  sql: `
    SELECT r.ttl_ms, e.created_ms AS said_ms FROM event c JOIN retention r ON r.channel = c.n JOIN live_event e ON e.n = r.event
    WHERE c.identity = :identity AND c.id = :channel_id ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1`,
});
