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

/** How many messages of others in a channel are not read yet and come before one of its messages (or of another channel), as they are shown. */
export const countUnreadBefore = query({
  description: 'How many messages of a channel are unread that come before a message.',
  params: { channel_id: id(), message_id: id() },
  row: { unread: integer() },
  sql: `
    SELECT count(*) AS unread FROM event c JOIN message m ON m.channel = c.n JOIN shown_message s ON s.n = m.event
      JOIN device_user d ON d.identity = s.identity AND d.device = s.author JOIN identity i ON i.identity = c.identity
      JOIN event f ON f.identity = c.identity AND f.id = :message_id JOIN message first ON first.event = f.n
      LEFT JOIN read_mark r ON r.identity = c.identity AND r.channel = c.id
    WHERE c.identity = :identity AND c.id = :channel_id AND m.created_ms > coalesce(r.read_until_ms, 0)
      AND (m.created_ms, m.seq, s.id) < (first.created_ms, first.seq, f.id)
      AND d.user <> coalesce((SELECT me.user FROM device_user me WHERE me.identity = i.identity AND me.device = i.device), 0)`,
});
