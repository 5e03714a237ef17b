import { event } from '../../../../core/envelope.ts';
import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisOrNone } from '../../rules/basis.ts';
import { getInvite } from '../invite/queries.ts';
import { revokeInvite } from './schema.ts';

/** Takes an invite back. */
export const takeInviteBack = command(
  { description: 'Takes an invite back.', input: { invite_id: id() } },
  (query, input, ctx) => {
    if (query(getInvite, { invite_id: input.invite_id }).length === 0)
      throw refuse('not_found', 'There is no such invite here.');
    return [event(revokeInvite, { ...input, basis_id: basisOrNone(query, ctx, 'admin') ?? null })];
  },
);
