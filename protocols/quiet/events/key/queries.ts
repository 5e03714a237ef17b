import { boolean, bytes, id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** Devices that belong to the group of a key now: all current ones where the group is the network itself. */
const ENTITLED = `
  SELECT c.identity, i.network_id AS group_id, c.device FROM current_device c JOIN identity i ON i.identity = c.identity
  UNION ALL SELECT identity, group_id, device FROM current_group_device`;

const ASKED = `
  SELECT qe.n FROM key_request q JOIN live_event qe ON qe.n = q.event
  WHERE q.key_id = k.id AND qe.identity = k.identity AND qe.author = t.device`;

/**
 * Whether a device has a key, as far as is known: it was given it, or has given it to others. Once it has asked for it, only what this device itself
 * has given it since counts: others may say that they did.
 */
const GIVEN = `
  SELECT 1 FROM key_delivery d JOIN event de ON de.n = d.event
  WHERE d.key_id = k.id AND de.identity = k.identity AND t.device IN (de.author, d.device)
    AND (NOT EXISTS (${ASKED}) OR (d.device = t.device AND de.author = (SELECT device FROM identity WHERE identity = k.identity)
      AND de.n > (SELECT max(n) FROM (${ASKED}))))`;

/**
 * Every current device of a group's members × every key it should have and has not, with the newest prekey that it advertises. `turn`: the place
 * of this device among the connected ones that have the key, in an order that differs by device and key: 0 acts at once, the others only
 * once it has been owed for long.
 */
export const getOwedKeys = query({
  description: 'Keys that devices should have and have not, with a prekey to seal each to.',
  params: { device_id: id().nullable(), key_id: id().nullable(), limit: integer(1, 10_000) },
  row: {
    key_id: id(),
    device_id: id(),
    prekey: id(),
    group_id: id(),
    channel_id: id().nullable(),
    key_expires_ms: integer(),
    owed_since_ms: integer(),
    turn: integer(),
  },
  sql: `
    WITH entitled AS (${ENTITLED}), owed AS MATERIALIZED (
      SELECT k.identity, k.id AS key_id, k.group_id, k.channel_id, k.expires_ms, k.held_ms, t.device, (
        SELECT p.event FROM prekey p JOIN live_event pe ON pe.n = p.event
        WHERE p.device = t.device AND pe.identity = k.identity ORDER BY pe.created_ms DESC, pe.id DESC LIMIT 1) AS prekey
      FROM group_key k JOIN entitled t ON t.identity = k.identity AND t.group_id = k.group_id
      WHERE k.identity = :identity AND k.expires_ms > :now_ms AND k.slot IS NOT NULL AND k.dirty_ms IS NULL
        AND (:key_id IS NULL OR k.id = :key_id) AND (:device_id IS NULL OR t.device = :device_id)
        AND t.device <> (SELECT device FROM identity WHERE identity = :identity)
        AND EXISTS (SELECT 1 FROM entitled me JOIN identity i ON i.identity = me.identity AND i.device = me.device
          WHERE me.identity = k.identity AND me.group_id = k.group_id)
        AND NOT EXISTS (${GIVEN})
    )
    SELECT o.key_id, o.device AS device_id, (SELECT public_key FROM prekey WHERE event = o.prekey) AS prekey, o.group_id, o.channel_id, o.expires_ms AS key_expires_ms,
      max(o.held_ms, (SELECT created_ms FROM event WHERE n = o.prekey)) AS owed_since_ms,
      (SELECT count(DISTINCT s.device) FROM session s JOIN entitled c ON c.identity = s.identity AND c.device = s.device AND c.group_id = o.group_id
        WHERE s.identity = o.identity AND EXISTS (SELECT 1 FROM key_delivery d JOIN event de ON de.n = d.event
          WHERE d.key_id = o.key_id AND de.identity = o.identity AND s.device IN (d.device, de.author))
          AND place(s.device, o.device, o.key_id) < place((SELECT device FROM identity WHERE identity = :identity), o.device, o.key_id)) AS turn
    -- Looked up one by one: a join would begin with all the prekeys, though mostly nothing is owed.
    FROM owed o WHERE o.prekey IS NOT NULL ORDER BY o.key_id, o.device LIMIT :limit`,
});

/**
 * Keys that events wait for and that this device neither holds nor has asked for, or has asked for before `again_before_ms` and been answered in vain: it may
 * have been set back since to a state that lacks the prekey. In another order with each salt, so that made-up names keep
 * nobody from asking for the others. Only once the newest prekey it advertises is one that it can open, and is not of this moment: whoever answers
 * must know it.
 */
export const getKeysToRequest = query({
  description: 'Keys that events have waited for, and that this device has not asked for yet.',
  params: { before_ms: integer(), again_before_ms: integer(), salt: bytes(8), limit: integer(1, 100) },
  row: { key_id: id(), group_id: id() },
  sql: `
    SELECT f.missing AS key_id, w.group_id FROM waiting w JOIN waiting_for f ON f.waiting = w.n
    WHERE w.identity = :identity AND w.rule = 'key_missing' AND w.received_ms < :before_ms
      AND EXISTS (SELECT 1 FROM current_device c JOIN identity i ON i.identity = c.identity AND i.device = c.device
        WHERE c.identity = w.identity AND (i.network_id = w.group_id
          OR EXISTS (SELECT 1 FROM current_group_device g WHERE g.identity = c.identity AND g.device = c.device AND g.group_id = w.group_id)))
      AND NOT EXISTS (SELECT 1 FROM key_request q JOIN live_event qe ON qe.n = q.event JOIN identity i ON i.identity = qe.identity AND i.device = qe.author
        WHERE qe.identity = w.identity AND q.key_id = f.missing
          AND NOT (qe.created_ms <= :again_before_ms AND EXISTS (SELECT 1 FROM key_delivery d JOIN event de ON de.n = d.event
            WHERE d.key_id = f.missing AND d.device = i.device AND de.identity = w.identity AND de.created_ms >= qe.created_ms)))
      -- Dirty keys are not given to anybody any more.
      AND NOT EXISTS (SELECT 1 FROM dirty_key y JOIN event ye ON ye.n = y.event WHERE ye.identity = w.identity AND y.key_id = f.missing)
      AND EXISTS (SELECT 1 FROM identity i JOIN prekey_secret s ON s.identity = i.identity WHERE i.identity = w.identity AND s.created_ms < :now_ms
        AND s.public_key = (SELECT p.public_key FROM prekey p JOIN live_event pe ON pe.n = p.event
          WHERE p.device = i.device AND pe.identity = i.identity ORDER BY pe.created_ms DESC, pe.id DESC LIMIT 1))
    GROUP BY f.missing, w.group_id ORDER BY place(f.missing, :salt) LIMIT :limit`,
});

/** How many requests of this device are open. */
export const countOpenRequests = query({
  description: 'How many keys this device has asked for lately.',
  params: {},
  row: { open: integer() },
  sql: `
    SELECT count(*) AS open FROM key_request q JOIN live_event e ON e.n = q.event JOIN identity i ON i.identity = e.identity AND i.device = e.author
    WHERE e.identity = :identity`,
});

/** Group keys, for people: what they are for, and who has them. */
export const getKeys = query({
  description:
    'Group keys that this device holds or knows of, with how many devices should have and lack each.',
  params: {},
  row: {
    key_id: id(),
    group_id: id(),
    channel_id: id().nullable(),
    expires_ms: integer().nullable(),
    events: integer(),
    held: boolean(),
    devices: integer(),
    devices_owed: integer(),
  },
  sql: `
    WITH entitled AS (${ENTITLED}), known AS (
      SELECT identity, id, group_id, channel_id, expires_ms, events, slot IS NOT NULL AS held FROM group_key WHERE identity = :identity AND expires_ms > :now_ms
      UNION ALL
      SELECT DISTINCT e.identity, d.key_id, coalesce(g.id, i.network_id), NULL, NULL, 0, 0
        FROM key_delivery d JOIN live_event e ON e.n = d.event JOIN identity i ON i.identity = e.identity LEFT JOIN event g ON g.n = e.group_n
        WHERE e.identity = :identity AND NOT EXISTS (SELECT 1 FROM group_key h WHERE h.identity = e.identity AND h.id = d.key_id)
    )
    SELECT k.id AS key_id, k.group_id, k.channel_id, k.expires_ms, k.events, k.held,
      (SELECT count(*) FROM entitled t WHERE t.identity = k.identity AND t.group_id = k.group_id) AS devices,
      (SELECT count(*) FROM entitled t WHERE t.identity = k.identity AND t.group_id = k.group_id AND NOT EXISTS (${GIVEN})
        AND NOT (k.held AND t.device = (SELECT device FROM identity WHERE identity = :identity))) AS devices_owed
    FROM known k ORDER BY k.group_id, k.channel_id, k.id`,
});
