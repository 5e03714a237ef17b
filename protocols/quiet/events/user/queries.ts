import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The user that a device speaks for. Empty where the device is unknown. */
export const getUserOfDevice = query({
  description: 'The user that a device speaks for, and whether its events count.',
  params: { device_id: id() },
  row: { user_id: id(), is_member: boolean() },
  sql: `
    SELECT d.user_id,
      EXISTS (SELECT 1 FROM current_device m WHERE m.identity = d.identity AND m.device = d.device) AS is_member
    FROM device_user d WHERE d.identity = :identity AND d.device = :device_id`,
});

/** A user as its own event describes it. */
export const getUser = query({
  description: 'A user by id: first device, invite, and whether somebody has admitted it.',
  params: { user_id: id() },
  row: { user_id: id(), device_id: id(), invite_id: id().nullable(), is_admitted: boolean() },
  sql: `
    SELECT e.id AS user_id, u.device AS device_id, i.id AS invite_id,
      (u.invite IS NULL OR EXISTS (SELECT 1 FROM admit a WHERE a.joiner = u.event)
        OR EXISTS (SELECT 1 FROM right_grant g WHERE g.user = u.event)) AS is_admitted
    FROM user u JOIN event e ON e.n = u.event LEFT JOIN event i ON i.n = u.invite
    WHERE e.identity = :identity AND e.id = :user_id`,
});

/** Everybody who has ever been let in, for people; `devices` counts those that are not removed. */
export const getMembers = query({
  description: 'Everybody who has ever been let in, by name, with the number of their current devices.',
  params: { group_id: id().nullable() },
  row: { user_id: id(), name: text(256).nullable(), devices: integer(), joined_ms: integer() },
  sql: `
    WITH members AS (
      SELECT d.user_id, d.user,
        sum(EXISTS (SELECT 1 FROM current_device c WHERE c.identity = m.identity AND c.device = m.device AND (:group_id IS NULL
          OR EXISTS (SELECT 1 FROM current_group_device g WHERE g.identity = m.identity AND g.device = m.device AND g.group_id = :group_id)))) AS devices
      FROM member_device m JOIN device_user d ON d.identity = m.identity AND d.device = m.device
      WHERE m.identity = :identity
        AND (:group_id IS NULL OR EXISTS (SELECT 1 FROM group_device g WHERE g.identity = m.identity AND g.device = m.device AND g.group_id = :group_id))
      GROUP BY d.user_id
    ), names AS (
      SELECT d.user_id, content('name', e.body) AS name,
        row_number() OVER (PARTITION BY d.user_id ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC) AS age
      FROM profile f JOIN live_event e ON e.n = f.event JOIN device_user d ON d.identity = e.identity AND d.device = e.author
      WHERE e.identity = :identity
    )
    SELECT members.user_id, members.devices, names.name, u.created_ms AS joined_ms
    FROM members JOIN event u ON u.n = members.user LEFT JOIN names ON names.user_id = members.user_id AND names.age = 1 ORDER BY members.user_id`,
});
