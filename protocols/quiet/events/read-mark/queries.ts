import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The newest message of a channel, and how far it has been read. */
export const getReadState = query({
  description: 'When the newest message of a channel was made, and until when the channel has been read.',
  params: { channel_id: id() },
  row: { newest_ms: integer().nullable(), read_until_ms: integer().nullable() },
  sql: `
    SELECT (SELECT max(m.created_ms) FROM event c JOIN message m ON m.channel = c.n WHERE c.identity = :identity AND c.id = :channel_id) AS newest_ms,
      (SELECT read_until_ms FROM read_mark WHERE identity = :identity AND channel = :channel_id) AS read_until_ms`,
});
