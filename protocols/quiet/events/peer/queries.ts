import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The devices of a user. */
export const getDevicesOfUser = query({
  description: 'The devices that speak for a user.',
  params: { user_id: id() },
  row: { device_id: id() },
  sql: `
    SELECT p.device AS device_id FROM peer p JOIN event u ON u.n = p.user
    WHERE u.identity = :identity AND u.id = :user_id ORDER BY p.event`,
});

/** Every device of the network, for people: whose it is, where it is, whether it is connected. */
export const getPeers = query({
  description: 'Every device of the network, whose it is, its address, and since when it is connected.',
  params: {},
  row: {
    device_id: id(),
    user_id: id(),
    address: text(256).nullable(),
    connected_since_ms: integer().nullable(),
    is_this_device: boolean(),
  },
  sql: `
    SELECT m.device AS device_id, d.user_id,
      (SELECT a.address FROM address a JOIN live_event e ON e.n = a.event
        WHERE e.identity = m.identity AND e.author = m.device ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1) AS address,
      (SELECT min(s.opened_ms) FROM session s WHERE s.identity = m.identity AND s.device = m.device) AS connected_since_ms,
      (m.device = (SELECT i.device FROM identity i WHERE i.identity = :identity)) AS is_this_device
    FROM member_device m JOIN device_user d ON d.identity = m.identity AND d.device = m.device
    WHERE m.identity = :identity ORDER BY d.user_id, m.device`,
});
