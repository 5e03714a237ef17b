import { bytes, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** Peers with an open session, one row per device. */
export const getActivePeers = query({
  description: 'Peers with an open session, one row per device.',
  params: { network_id: id() },
  row: { peer_id: id(), session_id: text(64), opened_ms: integer() },
  sql: `
    SELECT s.device AS peer_id, max(s.session_id) AS session_id, min(s.opened_ms) AS opened_ms
    FROM session s JOIN identity i ON i.identity = s.identity
    WHERE s.identity = :identity AND i.network_id = :network_id
      -- Members; but who is new here knows nobody yet.
      AND (s.device IN (SELECT device FROM current_device WHERE identity = :identity)
        OR i.device NOT IN (SELECT device FROM current_device WHERE identity = :identity))
    GROUP BY s.device ORDER BY s.device`,
});

/** A range of ids: `lower` inclusive, `upper` exclusive, compared as bytes. 33 bytes of ff lie behind every id. */
const range = { lower: bytes(0, 33), upper: bytes(0, 33), cut_ms: integer(), peer_id: id() };
const IN_RANGE = 'identity = :identity AND id >= :lower AND id < :upper';
/** What both may read: what is for everybody, and the private groups that both devices are in now. */
const SHARED = `(group_n IS NULL OR group_n IN (
  SELECT g.n FROM current_group_device t JOIN event g ON g.identity = t.identity AND g.id = t.group_id
    JOIN identity i ON i.identity = t.identity JOIN current_group_device m ON m.identity = t.identity AND m.group_id = t.group_id AND m.device = i.device
  WHERE t.identity = :identity AND t.device = :peer_id))`;
const IN_SET = `${IN_RANGE} AND body IS NOT NULL AND expires_ms > :cut_ms AND ${SHARED}`;

/** The events that are compared and sent: valid, not deleted, not expired at the cut. In the order of ids, which is that of time. */
export const getEventsForSync = query({
  description: 'Ids of the events that peers exchange, within a range of ids, in the order of time.',
  params: { ...range, limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `SELECT id AS event_id FROM event WHERE ${IN_SET} ORDER BY id LIMIT :limit`,
});

/** Number and fingerprint of the same. */
export const getSyncFingerprint = query({
  description:
    'The number of events that peers exchange within a range of ids, and the fingerprint of their ids.',
  params: range,
  row: { count: integer(), fingerprint: bytes(16) },
  sql: `SELECT count(*) AS count, fingerprint(id) AS fingerprint FROM event WHERE ${IN_SET}`,
});

/** The first id of every `size` of them: where a range is split. */
export const getSyncSplits = query({
  description: 'The ids that split a range into parts of equal size.',
  params: { ...range, parts: integer(2, 256), count: integer(1) },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM event WHERE ${IN_SET})
    WHERE place > 0 AND (place * :parts) / :count <> ((place - 1) * :parts) / :count ORDER BY event_id`,
});

/** Ids that are known and yet not exchanged: of what is dead, expired, waiting or refused. */
export const getKnownElsewhere = query({
  description:
    'Ids within a range that this node knows and does not exchange: dead, expired, waiting or refused.',
  params: { ...range, limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM event WHERE ${IN_RANGE} AND (body IS NULL OR expires_ms <= :cut_ms) AND ${SHARED}
    UNION ALL SELECT id FROM waiting WHERE ${IN_RANGE}
      -- Of what waits for a key its own author may have better wraps than whoever brought it.
      AND NOT (rule = 'key_missing' AND author = :peer_id) AND (group_id IS NULL OR group_id = (SELECT network_id FROM identity WHERE identity = :identity)
      OR group_id IN (SELECT group_id FROM current_group_device t WHERE t.identity = :identity AND t.device = :peer_id))
    UNION ALL SELECT id FROM refused WHERE ${IN_RANGE}
    LIMIT :limit`,
});

/** The event that was taken in last. */
export const getLastTakenIn = query({
  description: 'The event that this identity has taken in last.',
  params: {},
  row: { event_id: id() },
  // By row number, backwards: no index has them in this order.
  sql: 'SELECT id AS event_id FROM event NOT INDEXED WHERE identity = :identity ORDER BY n DESC LIMIT 1',
});

/**
 * How devices became members, and what this device has to say for itself while nobody has let it in yet: in an order that a stranger can check.
 * Its own come as they were made, since chance orders the ids of one moment: who lets it in has done so before its prekeys come, and answers them.
 */
export const getIntroduction = query({
  description: 'Ids of the events that show how this device became a member (or wants to), oldest first.',
  params: { limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    SELECT event_id FROM (
      SELECT id AS event_id, 0 AS place FROM live_event
      WHERE identity = :identity AND group_n IS NULL AND type IN ('network', 'user', 'peer', 'invite', 'admit', 'grant', 'revoke', 'remove', 'revoke-invite')
      UNION ALL
      SELECT w.id, w.seq FROM waiting w JOIN identity i ON i.identity = w.identity AND i.device = w.author WHERE w.identity = :identity AND w.group_id IS NULL
    ) ORDER BY place, event_id LIMIT :limit`,
});

/** The events by which this device became a member, back to the founder: whoever has these can tell that it is one. */
export const getOwnAdmission = query({
  description: 'Ids of the events by which this device became a member, back to the founder, oldest first.',
  params: { limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    WITH RECURSIVE led_in (joiner, event) AS (
      SELECT joiner, event FROM admit
      UNION ALL SELECT event, invite FROM user WHERE invite IS NOT NULL
      UNION ALL SELECT event, invite FROM peer WHERE invite IS NOT NULL
      UNION ALL SELECT user, event FROM right_grant
    ), who (device) AS (
      SELECT device FROM identity WHERE identity = :identity
      UNION
      SELECT le.author FROM who JOIN peer p ON p.device = who.device JOIN event pe ON pe.n = p.event AND pe.identity = :identity
        JOIN led_in l ON l.joiner IN (p.event, p.user) JOIN event le ON le.n = l.event
    ), path (n) AS (
      SELECT p.event FROM who JOIN peer p ON p.device = who.device
      UNION SELECT p.user FROM who JOIN peer p ON p.device = who.device
      UNION SELECT l.event FROM who JOIN peer p ON p.device = who.device JOIN led_in l ON l.joiner IN (p.event, p.user)
      UNION SELECT event FROM network WHERE identity = :identity
    )
    SELECT e.id AS event_id FROM path JOIN event e ON e.n = path.n WHERE e.identity = :identity ORDER BY e.id LIMIT :limit`,
});

/** One row if the device is a member now. */
export const isMember = query({
  description: 'One row if the device is a member now.',
  params: { device_id: id() },
  row: { device_id: id() },
  sql: 'SELECT device AS device_id FROM current_device WHERE identity = :identity AND device = :device_id',
});

/** Ids at which the proof stands of what counts of a removed device. */
export const getChainGaps = query({
  description: 'Events whose headers would prove what counts of a removed device.',
  params: { limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    SELECT missing AS event_id FROM chain_gap WHERE identity = :identity
    UNION SELECT missing FROM judgement_gap WHERE identity = :identity ORDER BY event_id LIMIT :limit`,
});

/** The last event that this node has of a device, of what is for everybody and per private group that the device is in. */
export const getLastOf = query({
  description: 'The last event of a device, of what is for everybody and per private group that it is in.',
  params: { device_id: id() },
  row: { event_id: id(), group_id: id().nullable(), seq: integer() },
  sql: `
    WITH chain AS (
      SELECT NULL AS group_n
      UNION ALL
      SELECT g.n FROM current_group_device t JOIN event g ON g.identity = t.identity AND g.id = t.group_id
      WHERE t.identity = :identity AND t.device = :device_id
    )
    SELECT e.id AS event_id, g.id AS group_id, e.seq
    FROM chain c JOIN event e ON e.n = (
        SELECT l.n FROM event l WHERE l.identity = :identity AND l.author = :device_id AND l.group_n IS c.group_n ORDER BY l.seq DESC, l.id LIMIT 1)
      LEFT JOIN event g ON g.n = c.group_n
    ORDER BY g.id`,
});

/** Where this device's own chains end. */
export const getOwnEnds = query({
  description: 'The number of the last event of each chain of this device that a peer gets, too.',
  params: { peer_id: id(), limit: integer(1, 1_000) },
  row: { group_id: id().nullable(), seq: integer() },
  sql: `
    SELECT CASE length(group_id) WHEN 0 THEN NULL ELSE group_id END AS group_id, seq FROM chain_head
    WHERE identity = :identity AND (chain_head.group_id = x'' OR chain_head.group_id IN (
      SELECT t.group_id FROM current_group_device t WHERE t.identity = :identity AND t.device = :peer_id))
    ORDER BY chain_head.group_id LIMIT :limit`,
});

/**
 * Keys that events here wait for, in another order with each salt: a key may be younger than all that it seals, and what waits for it is bounded,
 * so that keys are asked for by name; and who names keys that nobody has keeps nobody from asking for the others.
 */
export const getKeysAwaited = query({
  description: 'Ids of the group keys that events here wait for.',
  params: { salt: bytes(8), limit: integer(1, 1_000) },
  row: { key_id: id() },
  sql: `
    SELECT DISTINCT f.missing AS key_id FROM waiting w JOIN waiting_for f ON f.waiting = w.n
      JOIN identity i ON i.identity = w.identity
    WHERE w.identity = :identity AND w.rule = 'key_missing'
      AND f.missing NOT IN (SELECT y.key_id FROM dirty_key y JOIN event ye ON ye.n = y.event WHERE ye.identity = :identity)
      -- What came and did not open is asked for in another way: it has to be sealed anew.
      AND NOT EXISTS (SELECT 1 FROM key_delivery d JOIN event e ON e.n = d.event
        WHERE d.key_id = f.missing AND d.device = i.device AND e.identity = w.identity)
    ORDER BY place(f.missing, :salt) LIMIT :limit`,
});

/** The newest event that gives a key to a device. */
export const getDeliveryTo = query({
  description: 'The newest event that gives a group key to a device.',
  params: { key_id: id(), device_id: id() },
  row: { event_id: id() },
  sql: `
    SELECT e.id AS event_id FROM key_delivery d JOIN event e ON e.n = d.event
    WHERE e.identity = :identity AND d.key_id = :key_id AND d.device = :device_id AND e.body IS NOT NULL AND e.expires_ms > :now_ms
    ORDER BY e.created_ms DESC, e.id DESC LIMIT 1`,
});
