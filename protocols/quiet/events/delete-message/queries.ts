import { boolean, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** Deletions with their dead targets `t`, the group both are for, and whether this device has forgotten what was deleted. */
const DELETED = `
  SELECT d.identity, d.id AS deletion_id, d.created_ms AS deleted_ms, d.author, t.n AS target_n, t.id AS message_id,
    coalesce(g.id, i.network_id) AS group_id, i.device AS me,
    -- Every key it was known to be under is out of reach, and no other dirty key of the group is still on its way: where it was under none here, another
    -- device may have known better.
    (NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key LEFT JOIN purge p ON p.whose = d.identity AND p.kind = 'group_key' AND p.key_id = k.id
        WHERE w.of = t.n AND p.unreachable_ms IS NULL)
      AND NOT EXISTS (SELECT 1 FROM group_key k LEFT JOIN purge p ON p.whose = k.identity AND p.kind = 'group_key' AND p.key_id = k.id
        WHERE k.identity = d.identity AND k.group_id = coalesce(g.id, i.network_id) AND k.dirty_ms IS NOT NULL AND p.unreachable_ms IS NULL)) AS is_forgotten
  FROM aimed_at a JOIN event d ON d.n = a.event JOIN event t ON t.identity = d.identity AND t.id = a.target JOIN identity i ON i.identity = d.identity
    LEFT JOIN event g ON g.n = d.group_n
  WHERE d.identity = :identity AND d.type = 'delete-message' AND d.body IS NOT NULL AND t.body IS NULL AND t.superseded = 0`;

const MEMBERS = `
  SELECT c.identity, x.network_id AS group_id, c.device FROM current_device c JOIN identity x ON x.identity = c.identity
  UNION ALL SELECT identity, group_id, device FROM current_group_device`;

/**
 * Deletions, the newest first, with how far they have come: on how many of the group's devices the deleted cannot be had any more, as far as they have said.
 * This one knows for itself.
 */
export const getDeletions = query({
  description: 'Deletions, and on how many devices what they deleted cannot be had any more.',
  params: { limit: integer(1, 1_000) },
  row: {
    deletion_id: id(),
    message_id: id(),
    deleted_ms: integer(),
    author_user_id: id().nullable(),
    is_forgotten: boolean(),
    unreachable_ms: integer().nullable(),
    devices: integer(),
    others_forgotten: integer(),
    forgotten_ms: integer().nullable(),
  },
  sql: `
    WITH deleted AS (${DELETED} ORDER BY d.created_ms DESC, d.id DESC LIMIT :limit), member AS (${MEMBERS})
    SELECT x.deletion_id, x.message_id, x.deleted_ms, u.user_id AS author_user_id, x.is_forgotten,
      (SELECT max(p.unreachable_ms) FROM wrap w JOIN group_key k ON k.n = w.key JOIN purge p ON p.whose = x.identity AND p.kind = 'group_key' AND p.key_id = k.id
        WHERE w.of = x.target_n) AS unreachable_ms,
      (SELECT count(*) FROM member m WHERE m.identity = x.identity AND m.group_id = x.group_id) AS devices,
      (SELECT count(*) FROM member m WHERE m.identity = x.identity AND m.group_id = x.group_id AND m.device <> x.me
        AND EXISTS (SELECT 1 FROM forgotten_by f JOIN event fe ON fe.n = f.event
          WHERE f.of_id = x.message_id AND fe.identity = x.identity AND fe.author = m.device)) AS others_forgotten,
      (SELECT max(fe.created_ms) FROM forgotten_by f JOIN event fe ON fe.n = f.event
        WHERE f.of_id = x.message_id AND fe.identity = x.identity) AS forgotten_ms
    FROM deleted x LEFT JOIN device_user u ON u.identity = x.identity AND u.device = x.author ORDER BY x.deleted_ms DESC, x.deletion_id DESC`,
});

/** What was deleted and this device has forgotten without having said so, where there is somebody to tell. Not at once: keys may have to be heard of first. */
export const getUnsaidForgotten = query({
  description: 'Deleted events that this device has forgotten without having said so.',
  params: { since_ms: integer(), until_ms: integer(), limit: integer(1, 10_000) },
  row: { message_id: id(), group_id: id() },
  sql: `
    WITH deleted AS (${DELETED} AND d.created_ms BETWEEN :since_ms AND :until_ms AND NOT EXISTS (
      SELECT 1 FROM forgotten_by f JOIN event fe ON fe.n = f.event WHERE f.of_id = t.id AND fe.identity = d.identity AND fe.author = i.device))
    SELECT x.message_id, x.group_id FROM deleted x
    WHERE x.is_forgotten
      AND EXISTS (SELECT 1 FROM (${MEMBERS}) m WHERE m.identity = x.identity AND m.group_id = x.group_id AND m.device = x.me)
      AND EXISTS (SELECT 1 FROM (${MEMBERS}) m WHERE m.identity = x.identity AND m.group_id = x.group_id AND m.device <> x.me)
    ORDER BY x.group_id, x.message_id LIMIT :limit`,
});

/** Channels, and names of groups: what a deletion of a channel or of a whole private group is aimed at. */
export const getDeletable = query({
  description: 'A channel, or all channels and names of a private group, with who made them.',
  params: { group_id: id().nullable(), channel_id: id().nullable() },
  row: { event_id: id(), author: id(), expires_ms: integer(), group_id: id() },
  sql: `
    SELECT e.id AS event_id, e.author, e.expires_ms, coalesce(g.id, i.network_id) AS group_id
    FROM event e JOIN identity i ON i.identity = e.identity LEFT JOIN event g ON g.n = e.group_n
    WHERE e.identity = :identity AND e.body IS NOT NULL AND CASE WHEN :group_id IS NULL
      THEN e.id = :channel_id AND e.n IN (SELECT event FROM channel)
      ELSE g.id = :group_id AND (e.n IN (SELECT event FROM channel) OR e.n IN (SELECT event FROM title WHERE of_id = :group_id)) END
    ORDER BY e.id LIMIT 5000`,
});
