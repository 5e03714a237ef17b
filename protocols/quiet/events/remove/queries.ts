import { bytes, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';
import { heardLoss } from '../revoke/queries.ts';

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

/**
 * SQL: the row of the removal that cuts a device where it is cut, as far as it is known; what was taken in after it came too late to be named by another
 * removal. `c`: the row of the cut, `group_n`: its group.
 */
const heardCut = (c: string, group_n: string) => `
  (SELECT min(r.event) FROM event re JOIN removal r ON r.event = re.n JOIN peer p ON p.user = r.user AND p.device = ${c}.device
     LEFT JOIN removal_head h ON h.event = r.event AND h.device = p.device
   WHERE re.identity = ${c}.identity AND re.group_n IS ${group_n} AND (h.event IS NOT NULL OR r.whole_user = 1)
     AND coalesce(h.seq, 0) = ${c}.seq AND (${c}.head IS NULL OR h.head = ${c}.head))`;

/** Where a device is cut off, in the network or in a group. */
export const getCut = query({
  description: 'Where a device is cut off, in the network or in a group.',
  params: { device_id: id(), group_id: id().nullable() },
  row: { seq: integer(), head: id().nullable() },
  sql: `
    SELECT seq, head FROM cut WHERE identity = :identity AND device = :device_id AND group_id = coalesce(:group_id, x'')`,
});

/** Links of a device's chain that one query gives. */
export const LINKS_PER_PAGE = 10_000;

/**
 * A device's events in an audience, by number: each with the one before it. Those that are gone are among them; those that came only after the device
 * was cut off are not, nor (with `grant_id`) those that came after that right was known to be lost.
 */
export const getChainLinks = query({
  description:
    'The events of a device that are for everybody or for one group, each with the one before it, by number.',
  params: { device_id: id(), group_id: id().nullable(), grant_id: id().nullable(), offset: integer() },
  row: { event_id: id(), prev: id().nullable(), seq: integer() },
  sql: `
    SELECT e.id AS event_id, prev_of(e.header) AS prev, e.seq FROM event e
      LEFT JOIN cut c ON c.identity = e.identity AND c.device = e.author AND c.group_id = coalesce(:group_id, x'')
      LEFT JOIN right_cut l ON l.identity = e.identity AND l.grant_id = :grant_id AND l.device = e.author AND l.group_id = coalesce(:group_id, x'')
    WHERE e.identity = :identity AND e.author = :device_id
      AND e.group_n IS (SELECT g.n FROM event g WHERE g.identity = :identity AND g.id = :group_id)
      AND (c.device IS NULL OR e.n < coalesce(${heardCut('c', 'e.group_n')}, ${Number.MAX_SAFE_INTEGER}))
      AND (l.device IS NULL OR e.n < coalesce(${heardLoss('l', 'e.group_n')}, ${Number.MAX_SAFE_INTEGER}))
    UNION ALL SELECT h.id, prev_of(h.header), seq_of(h.header) FROM chain_header h JOIN identity i ON i.identity = h.identity
    WHERE h.identity = :identity AND author_of(h.header) = :device_id AND nullif(group_of(h.header), i.network_id) IS :group_id
    ORDER BY 3, 1 LIMIT ${LINKS_PER_PAGE} OFFSET :offset`,
});

/** Events of which a removed device is told: as many as a frame of somebody who is no member takes. */
const TOLD_MAX = 256;

/**
 * The removals of a device from the network, as they are sent, and the facts that they rest on: by which right they were made, how their authors came to
 * be members, and what was said against these, and against whoever said that. It is what the device is told when it is turned away, and all: without the
 * grant of an admin whom it has never heard of, or where it takes that one for removed by somebody who was removed before, it would never learn that it
 * is removed.
 */
export const getRemovalsOfDevice = query({
  description: 'The removals of a device from the network, and what bears on them, as they are sent.',
  params: { device_id: id() },
  row: { header: bytes(1, 512), signature: bytes(64), body: bytes(1, 65_536) },
  sql: `
    WITH RECURSIVE removals (n) AS (
      SELECT * FROM (
        SELECT DISTINCT e.n FROM peer p JOIN removal r ON r.user = p.user JOIN event e ON e.n = r.event
        WHERE e.identity = :identity AND p.device = :device_id AND e.group_n IS NULL
          AND (r.whole_user = 1 OR EXISTS (SELECT 1 FROM removal_head h WHERE h.event = r.event AND h.device = p.device))
        ORDER BY e.id LIMIT 16)
    ), led_in (joiner, event) AS (
      SELECT joiner, event FROM admit UNION ALL SELECT user, event FROM right_grant
    ), rests (n) AS (
      SELECT n FROM removals
      UNION SELECT d.target FROM rests JOIN depends_on d ON d.event = rests.n
      UNION SELECT p.event FROM rests JOIN event e ON e.n = rests.n JOIN peer p ON p.device = e.author
      UNION SELECT l.event FROM rests JOIN peer p ON p.event = rests.n JOIN led_in l ON l.joiner IN (p.event, p.user)
      UNION SELECT r.event FROM rests JOIN event e ON e.n = rests.n JOIN peer p ON p.device = e.author JOIN removal r ON r.user = p.user
      UNION SELECT r.event FROM rests JOIN revocation r ON r.grant_event = rests.n
    )
    SELECT e.header, e.signature, e.body FROM rests JOIN event e ON e.n = rests.n
    WHERE e.identity = :identity AND e.group_n IS NULL AND e.sealed = 0 AND e.body IS NOT NULL
    ORDER BY e.n NOT IN (SELECT n FROM removals), e.id LIMIT ${TOLD_MAX}`,
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
      JOIN event g ON g.identity = i.identity AND g.id = gd.group_id
      JOIN cut c ON c.identity = i.identity AND c.device = gd.device AND c.group_id = x''
      JOIN peer p ON p.device = gd.device JOIN event u ON u.n = p.user AND u.identity = i.identity
      JOIN removal r ON r.user = u.n JOIN event e ON e.n = r.event AND e.group_n IS NULL
    WHERE i.identity = :identity
      -- Said already by this device, or by another that knew as much.
      AND NOT EXISTS (
        SELECT 1 FROM removal r2 JOIN event e2 ON e2.n = r2.event JOIN removal_head h ON h.event = r2.event AND h.device = gd.device
        WHERE r2.user = u.n AND e2.group_n = g.n AND e2.author = i.device)
      AND NOT EXISTS (
        SELECT 1 FROM cut gc WHERE gc.identity = i.identity AND gc.device = gd.device AND gc.group_id = gd.group_id
          AND gc.seq >= coalesce((SELECT max(l.seq) FROM event l WHERE l.identity = i.identity AND l.author = gd.device AND l.group_n = g.n
            AND l.n < ${heardCut('gc', 'g.n')}), 0))
    GROUP BY gd.group_id, u.id, gd.device ORDER BY gd.group_id, u.id, gd.device LIMIT :limit`,
});
