import { id, integer } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';
import { query } from '../../../../core/query.ts';

/** Dirty keys that are still here and that something is under which has not been sealed anew, with what they are for. */
export const getDirtyKeys = query({
  description: 'Dirty keys that something has still to be sealed anew from.',
  params: {},
  row: { key_id: id(), group_id: id(), channel_id: id().nullable() },
  sql: `
    SELECT k.id AS key_id, k.group_id, k.channel_id FROM group_key k
    WHERE k.identity = :identity AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL
      AND (EXISTS (SELECT 1 FROM wrap w WHERE w.key = k.n AND w.replaced = 0 AND w.sealed IS NOT NULL)
        OR EXISTS (SELECT 1 FROM waiting_wrap v WHERE v.key_id = k.id)) ORDER BY k.n`,
});

/**
 * Live events under a dirty key that no clean key opens, and all that wait and name it: each is owed a wrap under a clean one. Never what is dead: it must not be sealed
 * anew.
 */
export const getEventsNeedingRekey = query({
  description: 'Live events under a dirty key that no clean key opens.',
  params: { key_id: id(), limit: integer(1, 10_000) },
  row: { event_id: id(), expires_ms: integer() },
  sql: `
    SELECT e.id AS event_id, e.expires_ms
    FROM group_key k JOIN wrap w ON w.key = k.n AND w.replaced = 0 AND w.sealed IS NOT NULL JOIN event e ON e.n = w.of
    WHERE k.identity = :identity AND k.id = :key_id AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL AND e.body IS NOT NULL AND e.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM wrap o JOIN group_key c ON c.n = o.key
        WHERE o.of = w.of AND o.key <> w.key AND o.sealed IS NOT NULL AND c.slot IS NOT NULL AND c.dirty_ms IS NULL)
    UNION ALL
    SELECT DISTINCT t.id, t.expires_ms
    FROM group_key k JOIN waiting_wrap w ON w.key_id = k.id JOIN waiting t ON t.n = w.waiting AND t.identity = k.identity
    WHERE k.identity = :identity AND k.id = :key_id AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL AND t.expires_ms > :now_ms
    LIMIT :limit`,
});

/**
 * The clean key of a group and channel with the smallest expiry that outlives `expires_ms` (for ever is later than everything), the lowest id among equals;
 * no later than one that were made now, or what runs out would stay under a key that does not; and how many more events it may seal. Keys with members who have been removed since do not count, as for new events.
 */
export const getCleanKeyForTtl = query({
  description: 'The clean key with the smallest sufficient expiry.',
  params: { group_id: id(), channel_id: id().nullable(), expires_ms: integer(), key_expires_ms: integer() },
  row: { key_id: id(), expires_ms: integer(), room: integer() },
  sql: `
    SELECT k.id AS key_id, k.expires_ms, ${limits.events_per_key_max} - k.events AS room FROM group_key k
    WHERE k.identity = :identity AND k.group_id = :group_id AND k.channel_id IS :channel_id
      AND k.slot IS NOT NULL AND k.dirty_ms IS NULL AND k.expires_ms > :now_ms AND k.expires_ms >= :expires_ms AND k.expires_ms <= :key_expires_ms AND k.events < ${limits.events_per_key_max}
      AND NOT EXISTS (
        SELECT 1 FROM key_delivery d JOIN event e ON e.n = d.event JOIN cut c ON c.identity = e.identity
        WHERE d.key_id = k.id AND e.identity = k.identity AND c.device IN (d.device, e.author) AND c.group_id IN (x'', k.group_id))
    ORDER BY k.expires_ms, k.id LIMIT 1`,
});

/**
 * The place of this device among the connected ones of a group, in an order that differs by what is to be made: 0 makes it, so that not everybody
 * makes a key of their own. And since when a key of the group and channel has been dirty.
 */
export const getMintTurn = query({
  description: 'Whose turn it is to make a key.',
  params: { group_id: id(), channel_id: id().nullable() },
  row: { turn: integer(), dirty_since_ms: integer() },
  sql: `
    SELECT (
      SELECT count(DISTINCT s.device) FROM session s JOIN identity i ON i.identity = s.identity JOIN current_device c ON c.identity = s.identity AND c.device = s.device
      WHERE s.identity = :identity AND (i.network_id = :group_id OR EXISTS (
          SELECT 1 FROM current_group_device g WHERE g.identity = s.identity AND g.device = s.device AND g.group_id = :group_id))
        AND place(s.device, :group_id, coalesce(:channel_id, x'')) < place(i.device, :group_id, coalesce(:channel_id, x''))) AS turn,
      coalesce((SELECT min(k.dirty_ms) FROM group_key k WHERE k.identity = :identity AND k.group_id = :group_id AND k.channel_id IS :channel_id
        AND k.dirty_ms IS NOT NULL AND k.slot IS NOT NULL), 0) AS dirty_since_ms`,
});

/** Keys that turned dirty here and of which nobody has said so yet, with this device's place among the connected ones that could. */
export const getUnsaidDirtyKeys = query({
  description: 'Dirty keys of which nobody has said yet that they are.',
  params: { limit: integer(1, 1_000) },
  row: { key_id: id(), group_id: id(), expires_ms: integer(), dirty_ms: integer(), turn: integer() },
  sql: `
    SELECT k.id AS key_id, k.group_id, k.expires_ms, k.dirty_ms, (
      SELECT count(DISTINCT s.device) FROM session s JOIN current_device c ON c.identity = s.identity AND c.device = s.device
      WHERE s.identity = k.identity AND (i.network_id = k.group_id OR EXISTS (
          SELECT 1 FROM current_group_device g WHERE g.identity = s.identity AND g.device = s.device AND g.group_id = k.group_id))
        AND place(s.device, k.id) < place(i.device, k.id)) AS turn
    FROM group_key k JOIN identity i ON i.identity = k.identity
    WHERE k.identity = :identity AND k.dirty_ms IS NOT NULL AND k.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM dirty_key d JOIN event e ON e.n = d.event WHERE d.key_id = k.id AND e.identity = k.identity)
      AND EXISTS (SELECT 1 FROM current_device c WHERE c.identity = k.identity AND c.device = i.device)
      AND (i.network_id = k.group_id OR EXISTS (
        SELECT 1 FROM current_group_device g WHERE g.identity = k.identity AND g.device = i.device AND g.group_id = k.group_id))
    ORDER BY k.id LIMIT :limit`,
});
