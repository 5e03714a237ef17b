import { insert, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { speaksFor } from '../peer/queries.ts';
import { invite } from './schema.ts';

export const projectInvite = projector(invite, {
  rules: {
    /** Anybody for a device of their own; for others who has the right to invite. */
    author_may_invite: (query, event) =>
      event.body.user_id === null
        ? mayActBy(query, event.author, event.body.basis_id, 'invite')
        : query(speaksFor, { device_id: event.author, user_id: event.body.user_id }).length > 0,
  },
  project: (_query, event) => [
    insert('invite', {
      invite_key: event.body.invite_key,
      uses: event.body.uses,
      invite_expires_ms: event.body.invite_expires_ms,
      user: event.body.user_id,
      basis: event.body.basis_id,
    }),
  ],
});
