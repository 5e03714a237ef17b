import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if something has waited for its time, or something of others too long. */
export const getWaitingDue = query({
  description: 'One row if an event has waited for its time, or one of others for too long.',
  params: { oldest_ms: integer() },
  row: { due: integer() },
  sql: `
    SELECT 1 AS due WHERE EXISTS (SELECT 1 FROM waiting WHERE identity = :identity AND not_before_ms > 0 AND not_before_ms <= :now_ms)
      OR EXISTS (SELECT 1 FROM waiting WHERE identity = :identity AND received_ms < :oldest_ms
        AND author NOT IN (SELECT device FROM identity WHERE identity = :identity))`,
});

/** What waits, by the rule it waits for. */
export const getWaiting = query({
  description: 'How many events wait, by the rule they wait for.',
  params: {},
  row: { rule: text(64), waiting: integer() },
  sql: 'SELECT rule, count(*) AS waiting FROM waiting WHERE identity = :identity GROUP BY rule ORDER BY rule',
});

/** Events of any state whose id, or the hash in it, begins with these digits: where each stands. */
export const getStandingOf = query({
  description: 'Where an event stands: valid, dead, waiting or refused, and by which rule.',
  params: { prefix: text(64).regex(/^[0-9a-f]{4,64}$/, 'expected 4 to 64 hex digits') },
  row: {
    event_id: id(),
    type: text(64).nullable(),
    author: id().nullable(),
    author_user_id: id().nullable(),
    standing: text(8),
    rule: text(64).nullable(),
    not_before_ms: integer(),
  },
  sql: `
    WITH found AS (
      SELECT id, type, author,
        CASE WHEN (body IS NULL AND superseded = 0) OR expires_ms <= :now_ms THEN 'dead' ELSE 'valid' END AS standing,
        CASE WHEN expires_ms <= :now_ms THEN 'expired' WHEN body IS NULL AND superseded = 0 THEN 'deleted' END AS rule, 0 AS not_before_ms
        FROM event WHERE identity = :identity
      UNION ALL SELECT id, NULL, author, 'waiting', rule, not_before_ms FROM waiting WHERE identity = :identity
      UNION ALL SELECT id, NULL, NULL, 'refused', rule, 0 FROM refused WHERE identity = :identity
    )
    SELECT f.id AS event_id, f.type, f.author, d.user_id AS author_user_id, f.standing, f.rule, f.not_before_ms
    FROM found f LEFT JOIN device_user d ON d.identity = :identity AND d.device = f.author
    WHERE substr(lower(hex(f.id)), 13, length(:prefix)) = :prefix OR (length(:prefix) > 12 AND substr(lower(hex(f.id)), 1, length(:prefix)) = :prefix)
    ORDER BY f.id DESC LIMIT 10`,
});

/** What a waiting event waits for: events, keys or devices that are not there yet, or the group that its author is not in. */
export const getMissing = query({
  description: 'Ids of the events, keys, devices or group that a waiting event waits for.',
  params: { event_id: id() },
  row: { missing: id() },
  sql: `
    SELECT f.missing AS missing FROM waiting w JOIN waiting_for f ON f.waiting = w.n WHERE w.identity = :identity AND w.id = :event_id
    UNION SELECT w.group_id FROM waiting w WHERE w.identity = :identity AND w.id = :event_id AND w.rule = 'author_not_in_group' AND w.group_id IS NOT NULL
    ORDER BY missing`,
});

/** Two events of one device under one number: its data was copied, or its key stolen. */
export const getForks = query({
  description: 'Devices that wrote two different events under one number.',
  params: {},
  row: { device_id: id(), seq: integer(), events: integer() },
  sql: `
    SELECT author AS device_id, seq, count(*) AS events FROM event WHERE identity = :identity
    GROUP BY author, group_n, seq HAVING count(*) > 1 ORDER BY author, seq LIMIT 1000`,
});
