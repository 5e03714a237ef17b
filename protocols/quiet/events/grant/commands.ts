import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisFor } from '../../rules/basis.ts';
import { founderOf } from '../../rules/rights.ts';
import { getUser } from '../user/queries.ts';
import { getRights } from './queries.ts';
import { grant } from './schema.ts';

/** Gives a user a right. */
export const grantRight = command(
  { description: 'Gives a user a right.', input: { user_id: id(), right: grant.shape.right } },
  (query, input, ctx) => {
    if (query(getUser, { user_id: input.user_id }).length === 0)
      throw refuse('not_found', 'There is no such user here.');
    const basis_id = basisFor(query, ctx, 'admin');
    // Given by the founder, or by the same right, it would be no firmer afterwards.
    const has_it = query(getRights, { user_id: input.user_id }).some(
      (one) => one.right === input.right && (one.basis_id === null || one.basis_id === basis_id),
    );
    if (has_it || input.user_id === founderOf(query))
      throw refuse('has_right', `This user has the right '${input.right}' already.`);
    return [event(grant, { ...input, basis_id })];
  },
);
