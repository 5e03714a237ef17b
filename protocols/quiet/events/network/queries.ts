import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';
import { LEVELS } from '../../reconcile/sum.ts';

/** Whether the device of an identity (`i`) was let in, and whether it is removed. */
const STANDING = `
      EXISTS (SELECT 1 FROM member_device m WHERE m.identity = i.identity AND m.device = i.device) AS admitted,
      EXISTS (SELECT 1 FROM cut c WHERE c.identity = i.identity AND c.device = i.device AND c.group_id = x'') AS removed`;

/** The device that founded the network. */
export const getNetworkCreator = query({
  description: 'The device that founded the network.',
  params: {},
  row: { device_id: id() },
  sql: 'SELECT creator AS device_id FROM network WHERE identity = :identity',
});

/** Every network of this node, one row per identity: for the host, which serves them all. */
export const getNetworks = query({
  description: 'Every network of this node, with the identity it is served under.',
  scope: 'node',
  params: {},
  row: {
    identity: integer(),
    network_id: id().nullable(),
    device_id: id(),
    name: text(256).nullable(),
    user_id: id().nullable(),
    user_name: text(256).nullable(),
    admitted: boolean(),
    removed: boolean(),
    members: integer(),
    events: integer(),
    waiting: integer(),
    peers_connected: integer(),
  },
  sql: `
    SELECT i.identity, i.network_id, i.device AS device_id,
      (SELECT content('title', e.body) FROM title t JOIN live_event e ON e.n = t.event
        WHERE e.identity = i.identity AND t.of_id = i.network_id ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1) AS name,
      (SELECT d.user_id FROM device_user d WHERE d.identity = i.identity AND d.device = i.device) AS user_id,
      (SELECT content('name', e.body) FROM profile f JOIN live_event e ON e.n = f.event
          JOIN device_user d ON d.identity = e.identity AND d.device = e.author JOIN device_user me ON me.identity = i.identity AND me.device = i.device
        WHERE e.identity = i.identity AND d.user_id = me.user_id ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1) AS user_name,
      ${STANDING},
      (SELECT count(DISTINCT d.user_id) FROM current_device m JOIN device_user d ON d.identity = m.identity AND d.device = m.device
        WHERE m.identity = i.identity) AS members,
      (SELECT coalesce(sum(s.count), 0) FROM sum_node s WHERE s.identity = i.identity AND s.level = ${LEVELS}) AS events,
      (SELECT count(*) FROM waiting w WHERE w.identity = i.identity) AS waiting,
      (SELECT count(DISTINCT s.device) FROM session s WHERE s.identity = i.identity) AS peers_connected
    FROM identity i ORDER BY i.identity`,
});

/** The same without what has to be opened or counted: where there is no choice, that is enough to work in it. */
export const getPlaces = query({
  description: 'Every network of this node: whether the identity there was let in, and removed.',
  scope: 'node',
  params: {},
  row: { identity: integer(), network_id: id().nullable(), admitted: boolean(), removed: boolean() },
  sql: `
    SELECT i.identity, i.network_id,
      ${STANDING}
    FROM identity i ORDER BY i.identity`,
});
