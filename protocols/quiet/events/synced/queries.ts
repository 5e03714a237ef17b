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

/** Which devices have an event, as far as this one knows: those with whom it has agreed since it has the event itself. */
export const getDeliveries = query({
  description: 'The other devices that an event is for, and whether each is known to have it.',
  params: { event_id: id() },
  row: { device_id: id(), delivered: boolean() },
  sql: `
    SELECT d.device AS device_id, coalesce(s.through_n >= e.n, 0) AS delivered
    FROM event e JOIN identity i ON i.identity = e.identity
      JOIN current_device d ON d.identity = e.identity AND d.device <> i.device
      LEFT JOIN synced_with s ON s.identity = e.identity AND s.device = d.device
    WHERE e.identity = :identity AND e.id = :event_id AND (e.group_n IS NULL OR EXISTS (
      SELECT 1 FROM event g JOIN current_group_device m ON m.identity = g.identity AND m.group_id = g.id AND m.device = d.device WHERE g.n = e.group_n))
    ORDER BY d.device`,
});
