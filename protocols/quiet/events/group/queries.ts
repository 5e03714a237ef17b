import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** A private group. */
export const getGroup = query({
  description: 'A private group: its kind, and who founded it.',
  params: { group_id: id() },
  row: { group_id: id(), kind: text(8), creator_id: id() },
  sql: `
    SELECT e.id AS group_id, g.kind, u.id AS creator_id FROM private_group g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.creator
    WHERE e.identity = :identity AND e.id = :group_id`,
});

/** Private groups that a user has ever been put into. */
export const getGroupsOfUser = query({
  description: 'Private groups that a user has ever been put into.',
  params: { user_id: id() },
  row: { group_id: id() },
  sql: `
    SELECT DISTINCT g.id AS group_id FROM event u JOIN group_member m ON m.user = u.n JOIN event g ON g.n = m.group_n
    WHERE u.identity = :identity AND u.id = :user_id ORDER BY g.id`,
});

/** The private groups that this device is in, for people; their members are `get_members` with the group. */
export const getGroups = query({
  description: 'The private groups that this device is in.',
  params: {},
  row: {
    group_id: id(),
    kind: text(8),
    name: text(256).nullable(),
    channels: integer(),
    created_ms: integer(),
  },
  sql: `
    SELECT e.id AS group_id, g.kind, e.created_ms,
      (SELECT content('title', t.body) FROM title x JOIN live_event t ON t.n = x.event
        WHERE t.identity = e.identity AND x.of_id = e.id ORDER BY t.created_ms DESC, t.seq DESC, t.id DESC LIMIT 1) AS name,
      (SELECT count(*) FROM channel c JOIN live_event l ON l.n = c.event WHERE l.group_n = e.n) AS channels
    FROM private_group g JOIN event e ON e.n = g.event JOIN identity i ON i.identity = e.identity
      JOIN current_group_device m ON m.identity = e.identity AND m.group_id = e.id AND m.device = i.device
    WHERE e.identity = :identity
      -- Where everything was deleted, there is no group any more for people; one without any channel yet is only on its way.
      AND (EXISTS (SELECT 1 FROM channel c JOIN live_event l ON l.n = c.event WHERE l.group_n = e.n)
        OR NOT EXISTS (SELECT 1 FROM aimed_at a JOIN event d ON d.n = a.event WHERE d.group_n = e.n AND d.type = 'delete-message'))
    ORDER BY e.created_ms, e.id`,
});

/** With whom the direct conversations of this device are: one row for each other user in them. */
export const getDirectPartners = query({
  description: 'The other users in the direct conversations of this user.',
  params: {},
  row: { group_id: id(), user_id: id() },
  sql: `
    SELECT DISTINCT e.id AS group_id, u.id AS user_id
    FROM private_group g JOIN event e ON e.n = g.event JOIN group_member m ON m.group_n = e.n JOIN event u ON u.n = m.user
      JOIN identity i ON i.identity = e.identity JOIN device_user me ON me.identity = e.identity AND me.device = i.device
    WHERE e.identity = :identity AND g.kind = 'direct' AND m.user <> me.user ORDER BY e.id, u.id`,
});

/** Direct conversations with exactly this user, the lowest id first: two that were begun at once are one for people. */
export const getDirectChannels = query({
  description: 'Channels of the direct conversations with exactly this user.',
  params: { user_id: id() },
  row: { group_id: id(), channel_id: id() },
  sql: `
    SELECT e.id AS group_id, l.id AS channel_id
    FROM private_group g JOIN event e ON e.n = g.event JOIN event l ON l.group_n = e.n AND l.body IS NOT NULL JOIN channel c ON c.event = l.n
      JOIN identity i ON i.identity = e.identity JOIN device_user me ON me.identity = e.identity AND me.device = i.device
    WHERE e.identity = :identity AND g.kind = 'direct'
      AND EXISTS (SELECT 1 FROM group_member m JOIN event u ON u.n = m.user WHERE m.group_n = e.n AND u.id = :user_id)
      AND EXISTS (SELECT 1 FROM group_member m WHERE m.group_n = e.n AND m.user = me.user)
      AND NOT EXISTS (SELECT 1 FROM group_member m JOIN event u ON u.n = m.user WHERE m.group_n = e.n AND u.id <> :user_id AND m.user <> me.user)
    ORDER BY e.id, l.id`,
});
