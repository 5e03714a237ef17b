import { insert, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getInvite } from '../invite/queries.ts';
import { speaksFor } from '../peer/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { revokeInvite } from './schema.ts';

export const projectRevokeInvite = projector(revokeInvite, {
  rules: {
    /** Whoever made it, from any device; or an admin. */
    author_may_revoke_invite: (query, event) => {
      const invite = query(getInvite, { invite_id: event.body.invite_id })[0];
      if (invite === undefined) return false;
      const maker = query(getUserOfDevice, { device_id: invite.author })[0];
      if (
        maker !== undefined &&
        query(speaksFor, { device_id: event.author, user_id: maker.user_id }).length > 0
      )
        return true;
      return mayActBy(query, event.author, event.body.basis_id, 'admin');
    },
  },
  project: (_query, event) => [insert('invite_revocation', { invite: event.body.invite_id })],
});
