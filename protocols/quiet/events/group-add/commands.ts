import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisOrNone } from '../../rules/basis.ts';
import { getGroup } from '../group/queries.ts';
import { getRemovalsOf } from '../remove/queries.ts';
import { getUser } from '../user/queries.ts';
import { groupAdd } from './schema.ts';

/** Puts a user into a private group. */
export const addToGroup = command(
  { description: 'Puts a user into a private group.', input: { group_id: id(), user_id: id() } },
  (query, input, ctx) => {
    const group = query(getGroup, { group_id: input.group_id })[0];
    if (group === undefined) throw refuse('not_found', 'There is no such group here.');
    if (group.kind === 'direct')
      throw refuse('is_direct', 'A direct conversation has fixed members. Create a group for more.');
    if (query(getUser, { user_id: input.user_id }).length === 0)
      throw refuse('not_found', 'There is no such user here.');
    if (query(getRemovalsOf, input).length > 0)
      throw refuse('was_removed', 'This user was removed from the group, for good. Create a new group.');
    const basis_id = basisOrNone(query, ctx, 'admin') ?? null;
    return [event(groupAdd, { user_id: input.user_id, basis_id }, { group_id: input.group_id })];
  },
);
