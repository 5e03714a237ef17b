import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisFor } from '../../rules/basis.ts';
import { headsOf } from '../../rules/heads.ts';
import { getRights } from '../grant/queries.ts';
import { grant } from '../grant/schema.ts';
import { revoke } from './schema.ts';

/** Takes a right away from a user: all grants that give it. */
export const revokeRight = command(
  { description: 'Takes a right away from a user.', input: { user_id: id(), right: grant.shape.right } },
  (query, input, ctx) => {
    const grants = query(getRights, { user_id: input.user_id }).filter((one) => one.right === input.right);
    if (grants.length === 0) throw refuse('not_found', 'This user does not have that right by any grant.');
    const basis_id = basisFor(query, ctx, 'admin');
    const heads = headsOf(query, { user_id: input.user_id, device_id: null }, null);
    return grants.map(({ grant_id }) => event(revoke, { grant_id, ...heads, basis_id, because_id: null }));
  },
);
