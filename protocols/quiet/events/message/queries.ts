import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** A message without its text: who, where, when. */
export const getMessageById = query({
  description: 'A message by its id: who wrote it, where, when. Not its text.',
  params: { message_id: id() },
  row: {
    message_id: id(),
    channel_id: id(),
    group_id: id(),
    author: id(),
    created_ms: integer(),
    expires_ms: integer(),
  },
  sql: `
    SELECT e.id AS message_id, c.id AS channel_id, coalesce(g.id, i.network_id) AS group_id, e.author, e.created_ms, e.expires_ms
    FROM event k JOIN message m ON m.event = k.n JOIN shown_message e ON e.n = m.event JOIN event c ON c.n = m.channel
      JOIN identity i ON i.identity = e.identity LEFT JOIN event g ON g.n = e.group_n
    WHERE k.identity = :identity AND k.id = :message_id`,
});

/** The newest messages of a channel, newest first, with their text: for people. */
export const getMessages = query({
  description: 'The newest messages of a channel, newest first.',
  params: { channel_id: id(), limit: integer(1, 10_000) },
  row: {
    message_id: id(),
    channel_id: id(),
    author: id(),
    author_user_id: id(),
    text: text(65_536),
    created_ms: integer(),
    edited_ms: integer().nullable(),
    expires_ms: integer(),
  },
  sql: `
    SELECT e.id AS message_id, c.id AS channel_id, e.author, d.user_id AS author_user_id,
      content('text', e.body) AS text, e.created_ms, e.edited_ms, e.expires_ms
    FROM event c JOIN message m ON m.channel = c.n JOIN shown_message e ON e.n = m.event
      JOIN device_user d ON d.identity = e.identity AND d.device = e.author
    WHERE c.identity = :identity AND c.id = :channel_id
    ORDER BY m.created_ms DESC, m.seq DESC, e.id DESC LIMIT :limit`,
});

/** Messages whose id is shown with these digits. The short id is the beginning of the hash in the id. */
export const getMessagesByPrefix = query({
  description: 'Messages whose id, or the hash in it, begins with these hex digits.',
  params: { prefix: text(64).regex(/^[0-9a-f]{4,64}$/, 'expected 4 to 64 hex digits') },
  row: { message_id: id() },
  sql: `
    SELECT e.id AS message_id FROM message m JOIN shown_message e ON e.n = m.event
    WHERE e.identity = :identity AND (substr(lower(hex(e.id)), 13, length(:prefix)) = :prefix OR (length(:prefix) > 12 AND substr(lower(hex(e.id)), 1, length(:prefix)) = :prefix))
    ORDER BY e.id DESC LIMIT 10`,
});

/** Versions of a message: who wrote them and when. Their texts are gone, but for the last. */
export const getVersions = query({
  description: 'Versions of a message, oldest first: who wrote each, and when.',
  params: { message_id: id() },
  row: { version_id: id(), author_user_id: id(), created_ms: integer() },
  sql: `
    SELECT v.id AS version_id, d.user_id AS author_user_id, v.created_ms
    FROM event e JOIN message m ON m.event = e.n JOIN event v ON v.n = e.n OR v.n IN (SELECT x.event FROM edit x WHERE x.message = e.n)
      JOIN device_user d ON d.identity = v.identity AND d.device = v.author
    WHERE e.identity = :identity AND e.id = :message_id ORDER BY v.created_ms, v.id`,
});
