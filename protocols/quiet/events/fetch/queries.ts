import { boolean, bytes, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';
import { WHO_FIRST } from '../sync/queries.ts';

const row = {
  session_id: text(64),
  ranges: text(32_768),
  oldest_first: boolean(),
  begun_at: text(66),
  progress: integer(),
  left: integer(),
  begun_ms: integer(),
  begun_n: integer(),
};
const COLUMNS =
  'f.session_id, f.ranges, f.oldest_first, f.begun_at, f.progress, f.left_n AS left, f.begun_ms, f.begun_n';

/** What is fetched through one session. */
export const getFetch = query({
  description: 'What is left of the range that is fetched through a session.',
  params: { session_id: text(64) },
  row,
  sql: `SELECT ${COLUMNS} FROM fetch f WHERE f.identity = :identity AND f.session_id = :session_id`,
});

/** What is fetched now, through all sessions. Where nothing has come for a while, nobody waits for it. */
export const getFetches = query({
  description: 'Ranges that are being fetched from connected peers.',
  params: { since_ms: integer() },
  row,
  sql: `
    SELECT ${COLUMNS} FROM fetch f JOIN session s ON s.identity = f.identity AND s.session_id = f.session_id
    WHERE f.identity = :identity AND f.at_ms >= :since_ms ORDER BY f.session_id`,
});

/** The newest events of one set in a range, the other way round than `get_events_for_sync`. */
export const getNewestForSync = query({
  description: 'Ids of the events of one set that peers exchange, within a range of ids, the newest first.',
  params: {
    lower: bytes(0, 33),
    upper: bytes(0, 33),
    set_n: integer(),
    cut_ms: integer(),
    limit: integer(1, 10_000),
  },
  row: { event_id: id() },
  sql: `
    SELECT id AS event_id FROM event INDEXED BY event_by_set
    WHERE identity = :identity AND group_n IS nullif(:set_n, 0) AND id >= :lower AND id < :upper AND body IS NOT NULL AND expires_ms > :cut_ms
    ORDER BY id DESC LIMIT :limit`,
});

/** What the events of a page rest on and what they are sealed under, as far as it is not on the page: keys for the device that asks, channels, what is answered. */
export const getPageNeeds = query({
  description: 'Ids of what the events of a page need: what they name, and the keys to them for one device.',
  params: { event_ids: text(200_000), first_id: id(), last_id: id(), device_id: id() },
  row: { event_id: id() },
  sql: `
    WITH RECURSIVE page (n) AS MATERIALIZED (
      SELECT e.n FROM json_each(:event_ids) j CROSS JOIN event e ON e.identity = :identity AND e.id = unhex(j.value)
    ), named (n) AS (
      SELECT d.target FROM page p CROSS JOIN depends_on d ON d.event = p.n
      UNION SELECT d.target FROM named x CROSS JOIN depends_on d ON d.event = x.n
    ), keys (n) AS (SELECT DISTINCT w.key FROM (SELECT n FROM page UNION SELECT n FROM named) p CROSS JOIN wrap w ON w.of = p.n WHERE w.sealed IS NOT NULL)
    SELECT event_id FROM (
      SELECT 0 AS place, max(de.id) AS event_id FROM keys x CROSS JOIN group_key k ON k.n = x.n
        CROSS JOIN key_delivery d ON d.key_id = k.id AND d.device = :device_id CROSS JOIN event de ON de.n = d.event
        WHERE de.identity = :identity AND de.body IS NOT NULL AND de.expires_ms > :now_ms GROUP BY k.n
      UNION ALL
      SELECT 1, e.id FROM named x CROSS JOIN event e ON e.n = x.n
        WHERE e.identity = :identity AND e.body IS NOT NULL AND e.expires_ms > :now_ms AND NOT (e.id >= :first_id AND e.id <= :last_id)
    ) ORDER BY place, event_id`,
});

/** Who belongs and who may what, as said within a range of ids. */
export const getFactsInRange = query({
  description: 'Ids of the events about members and rights within a range of ids, oldest first.',
  params: { lower: bytes(0, 33), upper: bytes(0, 33), limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `
    WITH fact (n) AS (
      SELECT event FROM network UNION SELECT event FROM user UNION SELECT event FROM peer UNION SELECT event FROM invite UNION SELECT event FROM admit
      UNION SELECT event FROM right_grant UNION SELECT event FROM revocation UNION SELECT event FROM removal UNION SELECT event FROM invite_revocation
    )
    SELECT e.id AS event_id FROM fact f CROSS JOIN event e ON e.n = f.n
    WHERE e.identity = :identity AND e.id >= :lower AND e.id < :upper AND e.body IS NOT NULL AND e.group_n IS NULL ORDER BY ${WHO_FIRST}, e.id LIMIT :limit`,
});

/** What people, the network and its channels are called now, as said within a range of ids. */
export const getNamesInRange = query({
  description:
    'Ids of the newest names of the network, its channels and its users within a range of ids, the newest first.',
  params: { lower: bytes(0, 33), upper: bytes(0, 33), limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `
    WITH named (n, what) AS (
      SELECT event, of_id FROM title UNION ALL
      SELECT f.event, d.user_id FROM profile f JOIN event p ON p.n = f.event JOIN device_user d ON d.identity = p.identity AND d.device = p.author
    )
    SELECT max(e.id) AS event_id FROM named a CROSS JOIN event e ON e.n = a.n
    WHERE e.identity = :identity AND e.id >= :lower AND e.id < :upper AND e.body IS NOT NULL AND e.expires_ms > :now_ms AND e.group_n IS NULL
    GROUP BY a.what ORDER BY event_id DESC LIMIT :limit`,
});

/** Of some ids, those that are not known here at all. */
export const getUnknown = query({
  description: 'Of some ids, those of which this device knows nothing.',
  params: { event_ids: text(100_000) },
  row: { event_id: id() },
  sql: `
    SELECT unhex(j.value) AS event_id FROM json_each(:event_ids) j
    WHERE NOT EXISTS (SELECT 1 FROM event WHERE identity = :identity AND id = unhex(j.value))
      AND NOT EXISTS (SELECT 1 FROM waiting WHERE identity = :identity AND id = unhex(j.value))
      AND NOT EXISTS (SELECT 1 FROM refused WHERE identity = :identity AND id = unhex(j.value))`,
});
