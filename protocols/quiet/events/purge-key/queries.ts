import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/**
 * Secrets that nothing needs any more. Group keys: dirty for longer than the grace, or expired; those that events still need are named once, so that
 * nothing new is taken in under them. Prekeys: retired for longer than the grace, or expired; after one completed sync since, so that nothing is on its
 * way to them, unless there is nobody to sync with.
 */
export const getUnusedKeysMarkedForPurge = query({
  description: 'Keys that are to be erased: dirty, expired or retired, and needed by nothing.',
  params: { grace_ms: integer(), prekey_ttl_ms: integer(), limit: integer(1, 10_000) },
  row: { kind: text(16), key_id: id() },
  sql: `
    SELECT 'group_key' AS kind, k.id AS key_id FROM group_key k
    WHERE k.identity = :identity AND k.slot IS NOT NULL AND (k.dirty_ms <= :now_ms - :grace_ms OR k.expires_ms <= :now_ms)
      AND (k.closed_ms IS NULL OR (
        NOT EXISTS (SELECT 1 FROM wrap w JOIN event e ON e.n = w.of
          WHERE w.key = k.n AND w.sealed IS NOT NULL AND e.body IS NOT NULL AND e.expires_ms > :now_ms)
        AND NOT EXISTS (SELECT 1 FROM waiting_wrap v JOIN waiting t ON t.n = v.waiting
          WHERE v.key_id = k.id AND t.identity = k.identity AND t.expires_ms > :now_ms)))
    UNION ALL
    SELECT 'prekey', s.public_key FROM prekey_secret s JOIN identity i ON i.identity = s.identity
    WHERE s.identity = :identity AND (s.retired_ms <= :now_ms - :grace_ms OR s.created_ms <= :now_ms - :prekey_ttl_ms)
      AND (coalesce((SELECT at_ms FROM synced y WHERE y.identity = s.identity), 0) > coalesce(s.retired_ms, s.created_ms + :prekey_ttl_ms)
        OR NOT EXISTS (SELECT 1 FROM current_device c WHERE c.identity = s.identity AND c.device <> i.device))
    LIMIT :limit`,
});

/** One row: whether prekeys have to be retired, because what they may have carried has become dirty; or (once a day) has expired. */
export const getRetirement = query({
  description: 'Whether the prekeys published so far have to be retired.',
  params: { day_ms: integer() },
  row: { is_due: boolean() },
  sql: `
    SELECT EXISTS (
      SELECT 1 FROM prekey_secret s JOIN group_key k ON k.identity = s.identity
      WHERE s.identity = :identity AND s.retired_ms IS NULL AND s.created_ms <= k.exposed_ms
        AND (k.dirty_ms IS NOT NULL OR s.created_ms <= :now_ms - :day_ms)) AS is_due`,
});

/** Every group key this device has held, with where it stands and what it still waits for. */
export const getKeyStates = query({
  description: 'Where every group key of this device stands, and what still holds it back.',
  params: {},
  row: {
    key_id: id(),
    group_id: id(),
    channel_id: id().nullable(),
    expires_ms: integer(),
    held_ms: integer(),
    dirty_ms: integer().nullable(),
    closed_ms: integer().nullable(),
    zeroed_ms: integer().nullable(),
    unreachable_ms: integer().nullable(),
    events: integer(),
    to_rewrap: integer(),
    to_remove: integer(),
    prekeys: integer(),
  },
  sql: `
    SELECT k.id AS key_id, k.group_id, k.channel_id, k.expires_ms, k.held_ms, k.dirty_ms, k.closed_ms, p.zeroed_ms, p.unreachable_ms, k.events,
      CASE WHEN k.dirty_ms IS NULL OR k.slot IS NULL THEN 0 ELSE (
        SELECT count(*) FROM wrap w JOIN event e ON e.n = w.of
        WHERE w.key = k.n AND w.replaced = 0 AND w.sealed IS NOT NULL AND e.body IS NOT NULL AND e.expires_ms > :now_ms
          AND NOT EXISTS (SELECT 1 FROM wrap o JOIN group_key c ON c.n = o.key
            WHERE o.of = w.of AND o.key <> w.key AND o.sealed IS NOT NULL AND c.slot IS NOT NULL AND c.dirty_ms IS NULL)) END AS to_rewrap,
      CASE WHEN k.dirty_ms IS NULL OR k.slot IS NULL THEN 0 ELSE (
        SELECT count(*) FROM wrap w WHERE w.key = k.n AND w.replaced = 1 AND w.sealed IS NOT NULL) END AS to_remove,
      CASE WHEN k.slot IS NOT NULL THEN 0 ELSE (
        SELECT count(*) FROM prekey_secret s WHERE s.identity = k.identity AND s.created_ms <= k.exposed_ms) END AS prekeys
    FROM group_key k LEFT JOIN purge p ON p.whose = k.identity AND p.kind = 'group_key' AND p.key_id = k.id
    WHERE k.identity = :identity ORDER BY k.held_ms, k.id LIMIT 10000`,
});

/** Prekeys of this device whose secrets are still here though they are not to be used any more. */
export const getRetiredPrekeys = query({
  description: 'Prekeys that are to be erased.',
  params: { prekey_ttl_ms: integer() },
  row: { retired: integer(), oldest_ms: integer().nullable() },
  sql: `
    SELECT count(*) AS retired, min(coalesce(retired_ms, created_ms + :prekey_ttl_ms)) AS oldest_ms FROM prekey_secret
    WHERE identity = :identity AND (retired_ms IS NOT NULL OR created_ms <= :now_ms - :prekey_ttl_ms)`,
});
