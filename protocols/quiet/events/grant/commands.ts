import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisFor } from '../../rules/basis.ts';
import { getUser } from '../user/queries.ts';
import { grant } from './schema.ts';

/** Gives a user a right. */
export const grantRight = command(
  { description: 'Gives a user a right.', input: { user_id: id(), right: grant.shape.right } },
  (query, input, ctx) => {
    if (query(getUser, { user_id: input.user_id }).length === 0)
      throw refuse('not_found', 'There is no such user here.');
    return [event(grant, { ...input, basis_id: basisFor(query, ctx, 'admin') })];
  },
);
