import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if the event is a message, expired or not, with its group. */
export const isMessage = query({
  description: 'The group of a message; no row where there is no such message.',
  params: { message_id: id() },
  row: { message_id: id(), group_id: id() },
  sql: `
    SELECT e.id AS message_id, coalesce(g.id, i.network_id) AS group_id
    FROM message m JOIN event e ON e.n = m.event JOIN identity i ON i.identity = e.identity LEFT JOIN event g ON g.n = e.group_n
    WHERE e.identity = :identity AND e.id = :message_id`,
});

/** Reactions to the newest messages of a channel, one row per message and emoji; several of one user count once. */
export const getReactions = query({
  description: 'Reactions to the newest messages of a channel, counted by emoji and user.',
  params: { channel_id: id(), limit: integer(1, 10_000) },
  row: { message_id: id(), emoji: text(64), count: integer() },
  sql: `
    WITH page AS (
      SELECT m.event AS n, e.id AS id FROM event c JOIN message m ON m.channel = c.n JOIN shown_message e ON e.n = m.event
      WHERE c.identity = :identity AND c.id = :channel_id
      ORDER BY m.created_ms DESC, m.seq DESC, e.id DESC LIMIT :limit
    )
    SELECT page.id AS message_id, content('emoji', r.body) AS emoji, count(DISTINCT d.user_id) AS count
    FROM page JOIN reaction ON reaction.message = page.n JOIN live_event r ON r.n = reaction.event
      JOIN device_user d ON d.identity = r.identity AND d.device = r.author
    GROUP BY page.id, emoji ORDER BY page.id, count DESC, emoji`,
});
