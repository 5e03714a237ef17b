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
    WHERE s.identity = :identity AND i.network_id = :network_id GROUP BY s.device ORDER BY s.device`,
});

/** A range of ids: `lower` inclusive, `upper` exclusive, compared as bytes. 33 bytes of ff lie behind every id. */
const range = { lower: bytes(0, 33), upper: bytes(0, 33), cut_ms: integer() };
const IN_RANGE = 'identity = :identity AND id >= :lower AND id < :upper';
const IN_SET = `${IN_RANGE} AND body IS NOT NULL AND expires_ms > :cut_ms`;

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
    SELECT id AS event_id FROM event WHERE ${IN_RANGE} AND (body IS NULL OR expires_ms <= :cut_ms)
    UNION ALL SELECT id FROM waiting WHERE ${IN_RANGE}
    UNION ALL SELECT id FROM refused WHERE ${IN_RANGE}
    LIMIT :limit`,
});

/** A number that grows with every event that is taken in. */
export const getSyncProgress = query({
  description: 'A number that grows with every event that this node takes in.',
  params: {},
  row: { progress: integer() },
  sql: 'SELECT coalesce((SELECT max(n) FROM event WHERE identity = :identity), 0) AS progress',
});

/** How devices became members, and what this device has to say for itself while nobody has let it in yet: in an order that a stranger can check. */
export const getIntroduction = query({
  description: 'Ids of the events that show how this device became a member (or wants to), oldest first.',
  params: { limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM live_event
    WHERE identity = :identity AND type IN ('network', 'user', 'peer', 'invite', 'admit')
    UNION ALL
    SELECT w.id FROM waiting w JOIN identity i ON i.identity = w.identity AND i.device = w.author WHERE w.identity = :identity
    ORDER BY event_id LIMIT :limit`,
});

/** One row if the device is a member's. */
export const isMember = query({
  description: 'One row if the device is a member.',
  params: { device_id: id() },
  row: { device_id: id() },
  sql: 'SELECT device AS device_id FROM member_device WHERE identity = :identity AND device = :device_id',
});
