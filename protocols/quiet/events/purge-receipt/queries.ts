import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** What was erased, the newest first: never with content. Receipts outlive the network they are of. */
export const getReceipts = query({
  description: 'Secrets that were erased, with when and by which rule, newest first.',
  params: { since_ms: integer(), limit: integer(1, 10_000), network_id: id().nullable() },
  row: {
    receipt: integer(),
    network_id: id().nullable(),
    kind: text(16),
    key_id: id(),
    rule: text(16),
    intended_ms: integer(),
    zeroed_ms: integer().nullable(),
    unreachable_ms: integer().nullable(),
  },
  scope: 'node',
  sql: `
    SELECT n AS receipt, network_id, kind, key_id, rule, intended_ms, zeroed_ms, unreachable_ms FROM purge
    WHERE intended_ms >= :since_ms AND (:network_id IS NULL OR network_id = :network_id) ORDER BY n DESC LIMIT :limit`,
});

/** How many erasures have no receipt yet, and the number of the last of them. */
export const getOpenPurges = query({
  description: 'Erasures that have no receipt yet.',
  params: {},
  row: { open: integer(), until: integer().nullable(), oldest_ms: integer().nullable() },
  scope: 'node',
  sql: 'SELECT count(*) AS open, max(n) AS until, min(intended_ms) AS oldest_ms FROM purge WHERE zeroed_ms IS NULL',
});

/** Group keys that are unreachable here since a while and of which the others have not been told; nobody is told where there is nobody. */
export const getUnsaidForgotten = query({
  description: 'Group keys that this device has forgotten without having said so.',
  params: { since_ms: integer(), limit: integer(1, 1_000) },
  row: { key_id: id(), group_id: id() },
  sql: `
    SELECT k.id AS key_id, k.group_id FROM purge p JOIN group_key k ON k.identity = p.whose AND k.id = p.key_id JOIN identity i ON i.identity = k.identity
    WHERE p.whose = :identity AND p.kind = 'group_key' AND p.unreachable_ms >= :since_ms
      AND EXISTS (SELECT 1 FROM current_device c WHERE c.identity = k.identity AND c.device = i.device)
      AND (SELECT count(*) FROM current_device c WHERE c.identity = k.identity) > 1
      AND (i.network_id = k.group_id OR EXISTS (
        SELECT 1 FROM current_group_device g WHERE g.identity = k.identity AND g.device = i.device AND g.group_id = k.group_id))
      AND NOT EXISTS (SELECT 1 FROM forgotten_by f JOIN event e ON e.n = f.event WHERE f.key_id = k.id AND e.identity = k.identity AND e.author = i.device)
    ORDER BY k.id LIMIT :limit`,
});
