import { boolean, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** When this device last agreed with another one. */
export const getLastSynced = query({
  description: 'When this device last agreed with another one about everything.',
  params: {},
  row: { at_ms: integer() },
  sql: 'SELECT at_ms FROM synced WHERE identity = :identity',
});

/** What this device and another one last agreed about. */
export const getSyncedWith = query({
  description: 'When this device last agreed with a given one, and up to which of the events stored here.',
  params: { device_id: id() },
  row: { through_n: integer(), at_ms: integer() },
  sql: 'SELECT through_n, at_ms FROM synced_with WHERE identity = :identity AND device = :device_id',
});

/** The other devices that are here now (`d`), with what each last agreed about (`s`). */
const OTHERS = `
  JOIN identity i ON i.identity = e.identity JOIN current_device d ON d.identity = e.identity AND d.device <> i.device
  LEFT JOIN synced_with s ON s.identity = d.identity AND s.device = d.device`;
/** Whether the event is for such a device. */
const IS_FOR = `
  (e.group_n IS NULL OR EXISTS (
    SELECT 1 FROM event g JOIN current_group_device t ON t.identity = g.identity AND t.group_id = g.id AND t.device = d.device WHERE g.n = e.group_n))`;

/**
 * Which devices have an event, as far as this one knows: the one that wrote it, and those with whom it has agreed since it has the event itself.
 * Of a message that was edited, whether they have it as it reads now.
 */
export const getDeliveries = query({
  description:
    'The other devices that an event is for, and whether each is known to have it: a message as it reads now.',
  params: { event_id: id() },
  row: { device_id: id(), user_id: id(), delivered: boolean() },
  sql: `
    SELECT d.device AS device_id, u.user_id, (coalesce(s.through_n, 0) >= e.n OR d.device = e.author) AS delivered
    FROM event k LEFT JOIN message m ON m.event = k.n JOIN event e ON e.n = coalesce(m.shown, k.n) ${OTHERS}
      JOIN device_user u ON u.identity = d.identity AND u.device = d.device
    WHERE k.identity = :identity AND k.id = :event_id AND ${IS_FOR}
    ORDER BY u.user_id, d.device`,
});

/** The same for a page of a channel, counted: of one's own messages. Who they are for is the same for all of them. */
export const getDeliveryCounts = query({
  description:
    "Of one's own among the newest messages of a channel: how many other devices each is for, and how many are known to have it.",
  params: { channel_id: id(), limit: integer(1, 10_000) },
  row: { message_id: id(), devices: integer(), delivered: integer() },
  sql: `
    WITH page AS MATERIALIZED (
      SELECT m.shown AS shown, e.id AS id, e.identity AS identity, e.author AS author
      FROM event c JOIN message m ON m.channel = c.n JOIN shown_message e ON e.n = m.event
      WHERE c.identity = :identity AND c.id = :channel_id
      ORDER BY m.created_ms DESC, m.seq DESC, e.id DESC LIMIT :limit
    ), audience AS MATERIALIZED (
      SELECT d.device AS device, coalesce(s.through_n, 0) AS through_n FROM event e ${OTHERS}
      WHERE e.identity = :identity AND e.id = :channel_id AND ${IS_FOR}
    ), own AS MATERIALIZED (
      SELECT o.device FROM identity i JOIN device_user me ON me.identity = i.identity AND me.device = i.device
        JOIN device_user o ON o.identity = me.identity AND o.user_id = me.user_id
      WHERE i.identity = :identity
    )
    SELECT p.id AS message_id, (SELECT count(*) FROM audience) AS devices,
      (SELECT count(*) FROM audience a WHERE a.through_n >= v.n OR a.device = v.author) AS delivered
    FROM page p JOIN event v ON v.n = p.shown WHERE p.author IN (SELECT device FROM own)`,
});
