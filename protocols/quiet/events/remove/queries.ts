import { bytes, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** A removal as it was made, in force or not. */
export const getRemoval = query({
  description: 'A removal as it was made, in force or not.',
  params: { removal_id: id() },
  row: { user_id: id(), group_id: id().nullable() },
  sql: `
    SELECT u.id AS user_id, g.id AS group_id FROM removal r JOIN event e ON e.n = r.event JOIN event u ON u.n = r.user
      LEFT JOIN event g ON g.n = e.group_n
    WHERE e.identity = :identity AND e.id = :removal_id`,
});

/** Removals of a user from the network (or from a group) that are known here. */
export const getRemovalsOf = query({
  description: 'Removals of a user from the network, or from one group.',
  params: { user_id: id(), group_id: id().nullable() },
  row: { removal_id: id() },
  sql: `
    SELECT e.id AS removal_id FROM removal r JOIN event e ON e.n = r.event JOIN event u ON u.n = r.user
      LEFT JOIN event g ON g.n = e.group_n
    WHERE e.identity = :identity AND u.id = :user_id AND g.id IS :group_id ORDER BY e.id LIMIT 16`,
});

/** The devices that have declared themselves for a user. */
export const getDeclaredDevices = query({
  description: 'The devices that have declared themselves for a user.',
  params: { user_id: id(), device_id: id().nullable() },
  row: { device_id: id() },
  sql: `
    SELECT DISTINCT p.device AS device_id FROM event u JOIN peer p ON p.user = u.n
    WHERE u.identity = :identity AND u.id = :user_id AND (:device_id IS NULL OR p.device = :device_id) ORDER BY p.device`,
});

/** Links of a device's chain that one query gives. */
export const LINKS_PER_PAGE = 10_000;

/** A device's events in an audience, by number: each with the one before it. Those that are gone are among them. */
export const getChainLinks = query({
  description:
    'The events of a device that are for everybody or for one group, each with the one before it, by number.',
  params: { device_id: id(), group_id: id().nullable(), offset: integer() },
  row: { event_id: id(), prev: id().nullable(), seq: integer() },
  sql: `
    SELECT id AS event_id, prev_of(header) AS prev, seq FROM event
    WHERE identity = :identity AND author = :device_id
      AND group_n IS (SELECT g.n FROM event g WHERE g.identity = :identity AND g.id = :group_id)
    ORDER BY seq, id LIMIT ${LINKS_PER_PAGE} OFFSET :offset`,
});

/** The removals of a device from the network, as they are sent: what it is told when it is turned away. */
export const getRemovalsOfDevice = query({
  description: 'The removals of a device from the network, as they are sent.',
  params: { device_id: id() },
  row: { header: bytes(1, 512), signature: bytes(64), body: bytes(1, 65_536) },
  sql: `
    SELECT DISTINCT e.header, e.signature, e.body FROM peer p JOIN removal r ON r.user = p.user JOIN event e ON e.n = r.event
    WHERE e.identity = :identity AND p.device = :device_id AND e.group_n IS NULL
      AND (r.whole_user = 1 OR EXISTS (SELECT 1 FROM removal_head h WHERE h.event = r.event AND h.device = p.device))
    ORDER BY e.id LIMIT 16`,
});

/** The removals of a device from private groups, as they are sent: who is not in a group any more is sent nothing of it but these. */
export const getGroupRemovalsOfDevice = query({
  description: 'The removals of a device from private groups, as they are sent.',
  params: { device_id: id() },
  row: { header: bytes(1, 512), signature: bytes(64), body: bytes(1, 65_536) },
  sql: `
    SELECT DISTINCT e.header, e.signature, e.body
    FROM cut c JOIN event g ON g.identity = c.identity AND g.id = c.group_id JOIN peer p ON p.device = c.device
      JOIN removal r ON r.user = p.user JOIN event e ON e.n = r.event AND e.group_n = g.n AND e.identity = c.identity
    WHERE c.identity = :identity AND c.device = :device_id AND c.group_id <> x''
      AND (r.whole_user = 1 OR EXISTS (SELECT 1 FROM removal_head h WHERE h.event = r.event AND h.device = c.device))
    ORDER BY e.id LIMIT 16`,
});

/** One row if the device was let in and is removed from the network. */
export const isRemovedDevice = query({
  description: 'One row if the device is removed from the network.',
  params: { device_id: id() },
  row: { device_id: id() },
  sql: `
    SELECT device AS device_id FROM cut WHERE identity = :identity AND device = :device_id AND group_id = x''`,
});

/** Devices cut off from the network whose events in a group of ours nobody has cut off yet. */
export const getGroupsToClose = query({
  description:
    'Devices removed from the network whose events in a group of this device nobody has cut off yet.',
  params: { limit: integer(1, 1_000) },
  row: { group_id: id(), user_id: id(), device_id: id(), removal_id: id() },
  sql: `
    SELECT gd.group_id, u.id AS user_id, gd.device AS device_id, min(e.id) AS removal_id
    FROM identity i
      JOIN current_group_device mine ON mine.identity = i.identity AND mine.device = i.device
      JOIN group_device gd ON gd.identity = i.identity AND gd.group_id = mine.group_id
      JOIN cut c ON c.identity = i.identity AND c.device = gd.device AND c.group_id = x''
      JOIN peer p ON p.device = gd.device JOIN event u ON u.n = p.user AND u.identity = i.identity
      JOIN removal r ON r.user = u.n JOIN event e ON e.n = r.event AND e.group_n IS NULL
    WHERE i.identity = :identity
      -- Said already by this device, or by another that knew as much.
      AND NOT EXISTS (
        SELECT 1 FROM removal r2 JOIN event e2 ON e2.n = r2.event JOIN event g2 ON g2.n = e2.group_n
          JOIN removal_head h ON h.event = r2.event AND h.device = gd.device
        WHERE r2.user = u.n AND g2.id = gd.group_id AND (e2.author = i.device OR h.seq >= coalesce(
          (SELECT max(l.seq) FROM event l WHERE l.identity = i.identity AND l.author = gd.device AND l.group_n = g2.n), 0)))
    GROUP BY gd.group_id, u.id, gd.device ORDER BY gd.group_id, u.id, gd.device LIMIT :limit`,
});
