import { bytes, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';
import { LEVELS } from '../../reconcile/sum.ts';

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
        OR i.device NOT IN (SELECT device FROM member_device WHERE identity = :identity))
    GROUP BY s.device ORDER BY s.device`,
});

/** The sets that this device and a peer may both read: what is for everybody (0), and the private groups that both are in now. */
export const getSharedSets = query({
  description:
    'The sets of events that this device and a peer may both read: 0, and row numbers of private groups.',
  params: { peer_id: id() },
  row: { set_n: integer() },
  sql: `
    SELECT 0 AS set_n UNION ALL
    SELECT g.n FROM current_group_device t JOIN event g ON g.identity = t.identity AND g.id = t.group_id
      JOIN identity i ON i.identity = t.identity JOIN current_group_device m ON m.identity = t.identity AND m.group_id = t.group_id AND m.device = i.device
    WHERE t.identity = :identity AND t.device = :peer_id
    ORDER BY set_n`,
});

/** A range of ids: `lower` inclusive, `upper` exclusive, compared as bytes. 33 bytes of ff lie behind every id. */
const range = { lower: bytes(0, 33), upper: bytes(0, 33) };
/** Sets as `getSharedSets` gives them, as a JSON list. */
const sets = { sets: text(16_384) };
const IN_RANGE = 'identity = :identity AND id >= :lower AND id < :upper';
const SETS = '(SELECT value FROM json_each(:sets))';

/** The events of one set that are compared and sent: valid, not deleted, not expired at the cut. In the order of ids, which is that of time. */
export const getEventsForSync = query({
  description:
    'Ids of the events of one set that peers exchange, within a range of ids, in the order of time.',
  params: { ...range, set_n: integer(), cut_ms: integer(), limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM event INDEXED BY event_by_set
    WHERE ${IN_RANGE} AND group_n IS nullif(:set_n, 0) AND body IS NOT NULL AND expires_ms > :cut_ms ORDER BY id LIMIT :limit`,
});

/** What a set still counts though it has expired by the cut: it is taken away again. */
const EXPIRED = `
  SELECT -1 AS count, id AS sum, -1 AS times FROM event INDEXED BY event_by_expiry
  WHERE identity = :identity AND body IS NOT NULL AND expires_ms < 9007199254740991 AND expires_ms <= :cut_ms AND coalesce(group_n, 0) IN ${SETS}`;
const SUMMED = 'coalesce(sum(count), 0) AS count, id_sum(sum, times) AS sum';
const summed = { count: integer(), sum: bytes(32) };

/** Number and sum of the events that two peers compare, all of them. */
export const getSyncTotal = query({
  description: 'The number of events that two peers compare, and the sum of their ids.',
  params: { ...sets, cut_ms: integer() },
  row: summed,
  sql: `
    SELECT ${SUMMED} FROM (
      SELECT count, sum, 1 AS times FROM sum_node WHERE identity = :identity AND set_n IN ${SETS} AND level = ${LEVELS} AND lower = x''
      UNION ALL SELECT more, id, more FROM sum_change WHERE identity = :identity AND set_n IN ${SETS}
      UNION ALL ${EXPIRED})`,
});

/** Where the part of a level ends that lies wholly before a point: at the beginning of the node that it is in. */
const edgeAt = (level: number) => `
  (SELECT n.lower FROM sum_node n WHERE n.identity = :identity AND n.set_n = s.value AND n.level = ${level} AND n.lower <= :before ORDER BY n.lower DESC LIMIT 1) AS a${level}`;
/** The nodes of a level that make up what the level above leaves over. */
const nodesOf = (level: number) => `
  SELECT n.count AS count, n.sum AS sum, 1 AS times FROM edge e CROSS JOIN sum_node n
  WHERE n.identity = :identity AND n.set_n = e.s AND n.level = ${level} AND n.lower < e.a${level}${level + 1 < LEVELS ? ` AND n.lower >= e.a${level + 1}` : ''}`;
const INNER_LEVELS = Array.from({ length: LEVELS - 1 }, (_, index) => index + 1);

/**
 * The same of those before a point: few nodes of each level, and the ids of one run; of what this transaction has changed, the rest is added. What is
 * within a range is what lies before its end, less what lies before its beginning.
 */
export const getSyncBefore = query({
  description: 'The number of events that two peers compare before a point, and the sum of their ids.',
  params: { ...sets, before: bytes(0, 33), cut_ms: integer() },
  row: summed,
  sql: `
    WITH edge AS MATERIALIZED (SELECT s.value AS s, ${INNER_LEVELS.map(edgeAt).join(', ')} FROM json_each(:sets) s)
    SELECT ${SUMMED} FROM (
      ${INNER_LEVELS.map(nodesOf).join(' UNION ALL ')}
      UNION ALL SELECT 1, v.id, 1 FROM edge e CROSS JOIN event v INDEXED BY event_by_set
      WHERE v.identity = :identity AND v.group_n IS nullif(e.s, 0) AND v.id >= coalesce(e.a1, x'') AND v.id < :before AND v.body IS NOT NULL
      UNION ALL SELECT c.more, c.id, c.more FROM edge e CROSS JOIN sum_change c
      WHERE c.identity = :identity AND c.set_n = e.s AND c.id < e.a1
      UNION ALL ${EXPIRED} AND id < :before)`,
});

/** The beginnings of the nodes of one level: where a range can be split. */
export const getSumNodes = query({
  description: 'Where the nodes of one level begin within a range, and how many ids each counts.',
  params: { ...sets, ...range, level: integer(1, LEVELS), limit: integer(1, 10_000) },
  row: { lower: bytes(0, 33), count: integer() },
  sql: `
    SELECT lower, count FROM sum_node
    WHERE identity = :identity AND set_n IN ${SETS} AND level = :level AND lower > :lower AND lower < :upper ORDER BY lower LIMIT :limit`,
});

/** How many ids from the end: between two that have just been apart these tell what is new from the rest of its run. */
const LAST_IDS = [0, 3, 15];

/** Where the last node of each level begins, then some of the last ids, and the last one: the newest of everything is there. */
export const getSyncTail = query({
  description: 'Where the newest run of ids begins, on each level, and some of the newest ids.',
  params: sets,
  row: { bound: bytes(0, 33) },
  sql: `
    SELECT bound FROM (
      SELECT (SELECT lower FROM sum_node n WHERE n.identity = :identity AND n.set_n = s.value AND n.level = l.column1 ORDER BY lower DESC LIMIT 1) AS bound
      FROM json_each(:sets) s, (VALUES ${INNER_LEVELS.map((level) => `(${level})`).join(', ')}) l
      ${LAST_IDS.map(
        (before) => `UNION SELECT (SELECT id FROM event INDEXED BY event_by_set
          WHERE identity = :identity AND group_n IS nullif(s.value, 0) AND body IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ${before})
        FROM json_each(:sets) s`,
      ).join(' ')}
    ) WHERE length(bound) > 0 ORDER BY bound`,
});

/** Ids that are known and yet not exchanged: of what is dead, expired, waiting or refused. */
export const getKnownElsewhere = query({
  description:
    'Ids within a range that this node knows and does not exchange: dead, expired, waiting or refused.',
  params: { ...sets, ...range, cut_ms: integer(), peer_id: id(), limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM event INDEXED BY event_dead WHERE ${IN_RANGE} AND body IS NULL AND coalesce(group_n, 0) IN ${SETS}
    UNION ALL SELECT id FROM event INDEXED BY event_by_expiry
    WHERE ${IN_RANGE} AND body IS NOT NULL AND expires_ms < 9007199254740991 AND expires_ms <= :cut_ms AND coalesce(group_n, 0) IN ${SETS}
    UNION ALL SELECT id FROM waiting WHERE ${IN_RANGE}
      -- Of what waits for a key its own author may have better wraps than whoever brought it.
      AND NOT (rule = 'key_missing' AND author = :peer_id) AND (group_id IS NULL OR group_id = (SELECT network_id FROM identity WHERE identity = :identity)
      OR group_id IN (SELECT group_id FROM current_group_device t WHERE t.identity = :identity AND t.device = :peer_id))
    UNION ALL SELECT id FROM refused WHERE ${IN_RANGE}
    LIMIT :limit`,
});

/** Open sessions with members that an event of this device's is for. */
export const getPeersToPush = query({
  description: 'Open sessions with members that an event is for, one per device.',
  params: { group_id: id().nullable() },
  row: { session_id: text(64) },
  sql: `
    SELECT max(s.session_id) AS session_id FROM session s JOIN identity i ON i.identity = s.identity
      JOIN current_device d ON d.identity = s.identity AND d.device = s.device
    WHERE s.identity = :identity AND (:group_id IS NULL OR :group_id = i.network_id OR EXISTS (
      SELECT 1 FROM current_group_device g WHERE g.identity = s.identity AND g.device = s.device AND g.group_id = :group_id))
    GROUP BY s.device ORDER BY s.device`,
});

/** The event that was taken in last. */
export const getLastTakenIn = query({
  description: 'The event that this identity has taken in last.',
  params: {},
  row: { event_id: id(), n: integer() },
  // By row number, backwards: no index has them in this order.
  sql: 'SELECT id AS event_id, n FROM event NOT INDEXED WHERE identity = :identity ORDER BY n DESC LIMIT 1',
});

/** Who belongs before what they say: events of those who are not known yet wait, and of each stranger only so many may. */
export const WHO_FIRST = `CASE type WHEN 'network' THEN 0 WHEN 'user' THEN 1 WHEN 'peer' THEN 2 WHEN 'admit' THEN 3 WHEN 'grant' THEN 4 ELSE 5 END`;

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
      SELECT id AS event_id, ${WHO_FIRST} AS place FROM live_event
      WHERE identity = :identity AND group_n IS NULL AND type IN ('network', 'user', 'peer', 'invite', 'admit', 'grant', 'revoke', 'remove', 'revoke-invite')
      UNION ALL
      SELECT w.id, 100 + w.seq FROM waiting w JOIN identity i ON i.identity = w.identity AND i.device = w.author WHERE w.identity = :identity AND w.group_id IS NULL
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

/** One row if this device has ever been let in: who was removed since is no newcomer, and must not behave like one to strangers. */
export const wasLetIn = query({
  description: 'One row if this device has ever been let in.',
  params: {},
  row: { device_id: id() },
  sql: `
    SELECT m.device AS device_id FROM member_device m JOIN identity i ON i.identity = m.identity AND i.device = m.device
    WHERE m.identity = :identity`,
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

/**
 * The last event that this node has of a device, of what is for everybody and per private group that both are in: of others the device does not say how far it
 * is, and would be sent it for ever.
 */
export const getLastOf = query({
  description: 'The last event of a device, of what is for everybody and per private group that both are in.',
  params: { device_id: id() },
  row: { event_id: id(), group_id: id().nullable(), seq: integer() },
  sql: `
    WITH chain AS (
      SELECT NULL AS group_n
      UNION ALL
      SELECT g.n FROM current_group_device t JOIN event g ON g.identity = t.identity AND g.id = t.group_id
        JOIN identity i ON i.identity = t.identity JOIN current_group_device m ON m.identity = t.identity AND m.group_id = t.group_id AND m.device = i.device
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
      -- Anybody can write such an event for somebody who is not in its group.
      AND (e.group_n IS NULL OR EXISTS (SELECT 1 FROM event g JOIN current_group_device t ON t.identity = g.identity AND t.group_id = g.id
        WHERE g.n = e.group_n AND t.device = :device_id))
    ORDER BY e.created_ms DESC, e.id DESC LIMIT 1`,
});
