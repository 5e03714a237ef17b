import { boolean, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/**
 * Prekeys of this device that are good for a while yet, and whose secrets it has. Others use the newest: where that is one whose secret was lost (this
 * device was restored from an older state), none of the older ones is of any use.
 */
export const countUsablePrekeys = query({
  description: 'How many prekeys of this device are good for a while yet.',
  params: { until_ms: integer() },
  row: { usable: integer() },
  sql: `
    SELECT count(*) AS usable FROM prekey k JOIN live_event e ON e.n = k.event JOIN identity i ON i.identity = e.identity AND i.device = k.device
      JOIN prekey_secret s ON s.identity = e.identity AND s.public_key = k.public_key AND s.retired_ms IS NULL
    WHERE e.identity = :identity AND e.expires_ms > :until_ms
      AND NOT EXISTS (SELECT 1 FROM prekey lost JOIN live_event l ON l.n = lost.event
        WHERE lost.device = i.device AND l.identity = e.identity AND (l.created_ms, l.id) > (e.created_ms, e.id)
          AND NOT EXISTS (SELECT 1 FROM prekey_secret ls WHERE ls.identity = l.identity AND ls.public_key = lost.public_key))`,
});

/** One row if this device is a member now. */
export const amIMember = query({
  description: 'One row if this device is a member now.',
  params: {},
  row: { device_id: id() },
  sql: `
    SELECT c.device AS device_id FROM current_device c JOIN identity i ON i.identity = c.identity AND i.device = c.device
    WHERE c.identity = :identity`,
});

/** The prekeys that devices advertise now, for people. */
export const getPrekeys = query({
  description: 'The prekeys that devices advertise now.',
  params: {},
  row: {
    prekey_id: id(),
    device_id: id(),
    user_id: id(),
    created_ms: integer(),
    expires_ms: integer(),
    is_this_device: boolean(),
  },
  sql: `
    SELECT e.id AS prekey_id, e.author AS device_id, d.user_id, e.created_ms, e.expires_ms, (e.author = i.device) AS is_this_device
    FROM prekey k JOIN live_event e ON e.n = k.event JOIN device_user d ON d.identity = e.identity AND d.device = e.author
      JOIN identity i ON i.identity = e.identity JOIN current_device c ON c.identity = e.identity AND c.device = e.author
    WHERE e.identity = :identity ORDER BY d.user_id, e.author, e.id`,
});
