import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/**
 * Deletions, the newest first, with how far they have come: of the devices that should have the group's keys, on how many the deleted is known to be out
 * of reach. A device has forgotten it once it has said so of every key it was under; this one knows for itself.
 */
export const getDeletions = query({
  description: 'Deletions, and on how many devices what they deleted cannot be had any more.',
  params: { limit: integer(1, 1_000) },
  row: {
    deletion_id: id(),
    message_id: id(),
    deleted_ms: integer(),
    author_user_id: id().nullable(),
    keys: integer(),
    keys_unreachable: integer(),
    unreachable_ms: integer().nullable(),
    devices: integer(),
    devices_forgotten: integer(),
    forgotten_ms: integer().nullable(),
  },
  sql: `
    WITH deleted AS (
      SELECT d.n, d.id AS deletion_id, t.n AS target_n, t.id AS message_id, d.created_ms AS deleted_ms, d.author, d.identity, coalesce(g.id, i.network_id) AS group_id,
        i.device AS me, i.network_id
      FROM event d JOIN aimed_at a ON a.event = d.n JOIN event t ON t.identity = d.identity AND t.id = a.target JOIN identity i ON i.identity = d.identity
        LEFT JOIN event g ON g.n = d.group_n
      WHERE d.identity = :identity AND d.type = 'delete-message' AND d.body IS NOT NULL AND t.body IS NULL AND t.superseded = 0
      ORDER BY d.created_ms DESC, d.id DESC LIMIT :limit
    ), member AS (
      SELECT c.identity, x.network_id AS group_id, c.device FROM current_device c JOIN identity x ON x.identity = c.identity
      UNION ALL SELECT identity, group_id, device FROM current_group_device
    )
    SELECT x.deletion_id, x.message_id, x.deleted_ms, u.user_id AS author_user_id,
      (SELECT count(*) FROM wrap w WHERE w.of = x.target_n) AS keys,
      (SELECT count(*) FROM wrap w JOIN group_key k ON k.n = w.key JOIN purge p ON p.whose = x.identity AND p.kind = 'group_key' AND p.key_id = k.id
        WHERE w.of = x.target_n AND p.unreachable_ms IS NOT NULL) AS keys_unreachable,
      (SELECT max(p.unreachable_ms) FROM wrap w JOIN group_key k ON k.n = w.key JOIN purge p ON p.whose = x.identity AND p.kind = 'group_key' AND p.key_id = k.id
        WHERE w.of = x.target_n) AS unreachable_ms,
      (SELECT count(*) FROM member m WHERE m.identity = x.identity AND m.group_id = x.group_id) AS devices,
      (SELECT count(*) FROM member m WHERE m.identity = x.identity AND m.group_id = x.group_id AND m.device <> x.me
        AND EXISTS (SELECT 1 FROM wrap w WHERE w.of = x.target_n)
        AND NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = x.target_n AND NOT EXISTS (
          SELECT 1 FROM forgotten_by f JOIN event fe ON fe.n = f.event WHERE fe.identity = x.identity AND fe.author = m.device AND f.key_id = k.id))) AS devices_forgotten,
      (SELECT max(fe.created_ms) FROM wrap w JOIN group_key k ON k.n = w.key JOIN forgotten_by f ON f.key_id = k.id JOIN event fe ON fe.n = f.event
        WHERE w.of = x.target_n AND fe.identity = x.identity) AS forgotten_ms
    FROM deleted x LEFT JOIN device_user u ON u.identity = x.identity AND u.device = x.author ORDER BY x.deleted_ms DESC, x.deletion_id DESC`,
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
