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
