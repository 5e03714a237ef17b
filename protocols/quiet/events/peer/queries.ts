import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if the device has declared that it speaks for the user. */
export const speaksFor = query({
  description: 'One row if the device has declared that it speaks for the user.',
  params: { device_id: id(), user_id: id() },
  row: { peer_id: id() },
  sql: `
    SELECT e.id AS peer_id FROM event u JOIN peer p ON p.user = u.n JOIN event e ON e.n = p.event
    WHERE u.identity = :identity AND u.id = :user_id AND p.device = :device_id LIMIT 1`,
});

/** Devices that come in with their user: those that need no invite of their own. */
export const getFirstDevices = query({
  description: 'The devices that come in with their user.',
  params: { user_id: id() },
  row: { device_id: id() },
  sql: `
    SELECT DISTINCT p.device AS device_id FROM peer p JOIN event u ON u.n = p.user
    WHERE u.identity = :identity AND u.id = :user_id AND p.invite IS NULL ORDER BY p.device`,
});

/** The devices of a user that have been let in. */
export const getDevicesOfUser = query({
  description: 'The devices of a user that have been let in.',
  params: { user_id: id() },
  row: { device_id: id() },
  sql: `
    SELECT DISTINCT p.device AS device_id FROM peer p JOIN event u ON u.n = p.user
      JOIN member_device m ON m.identity = u.identity AND m.device = p.device
    WHERE u.identity = :identity AND u.id = :user_id ORDER BY p.device`,
});

/** A device's declaration, by the id of its event. */
export const getPeer = query({
  description: 'Whose device a peer event declares, and by which invite.',
  params: { peer_id: id() },
  row: { device_id: id(), user_id: id(), invite_id: id().nullable() },
  sql: `
    SELECT p.device AS device_id, u.id AS user_id, v.id AS invite_id
    FROM peer p JOIN event e ON e.n = p.event JOIN event u ON u.n = p.user LEFT JOIN event v ON v.n = p.invite
    WHERE e.identity = :identity AND e.id = :peer_id`,
});

/** Every current device of the network, for people: whose it is, where it is, whether it is connected. */
export const getPeers = query({
  description:
    'Every current device of the network, whose it is, its address, and since when it is connected.',
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
    FROM current_device m JOIN device_user d ON d.identity = m.identity AND d.device = m.device
    WHERE m.identity = :identity ORDER BY d.user_id, m.device`,
});

/** Every device that has ever been let in, removed ones too. */
export const getDevices = query({
  description: 'Every device that has ever been let in, with its user and the prekeys it advertises.',
  params: {},
  row: {
    device_id: id(),
    user_id: id(),
    is_current: boolean(),
    prekeys: integer(),
    connected: boolean(),
    is_this_device: boolean(),
  },
  sql: `
    SELECT m.device AS device_id, d.user_id,
      EXISTS (SELECT 1 FROM current_device c WHERE c.identity = m.identity AND c.device = m.device) AS is_current,
      (SELECT count(*) FROM prekey k JOIN live_event e ON e.n = k.event WHERE k.device = m.device AND e.identity = m.identity) AS prekeys,
      EXISTS (SELECT 1 FROM session s WHERE s.identity = m.identity AND s.device = m.device) AS connected,
      (m.device = (SELECT i.device FROM identity i WHERE i.identity = :identity)) AS is_this_device
    FROM member_device m JOIN device_user d ON d.identity = m.identity AND d.device = m.device
    WHERE m.identity = :identity ORDER BY d.user_id, m.device`,
});
