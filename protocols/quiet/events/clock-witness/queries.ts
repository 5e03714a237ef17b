import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** What a user's clock was noted to be. */
export const getClockWitness = query({
  description: "How far a user's clock was from ours, and when that was noted.",
  params: { user_id: id() },
  row: { offset_ms: integer(), seen_ms: integer() },
  sql: 'SELECT offset_ms, seen_ms FROM clock_witness WHERE identity = :identity AND user_id = :user_id',
});

/** All clocks that were noted, over all networks of this node. */
export const getClockWitnesses = query({
  description: 'How far the clocks of other users are from ours, over all networks of this node.',
  scope: 'node',
  params: {},
  row: { identity: integer(), user_id: id(), offset_ms: integer(), seen_ms: integer() },
  sql: 'SELECT identity, user_id, offset_ms, seen_ms FROM clock_witness ORDER BY identity, user_id',
});
