import { text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The address that this device has announced last. */
export const getMyAddress = query({
  description: 'The address that this device has announced last.',
  params: {},
  row: { address: text(255) },
  sql: `
    SELECT a.address FROM address a JOIN live_event e ON e.n = a.event JOIN identity i ON i.identity = e.identity AND i.device = e.author
    WHERE e.identity = :identity ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1`,
});
