import { insert, projector } from '../../../../core/sources.ts';
import { letIn } from '../../rules/membership.ts';
import { getInvite } from '../invite/queries.ts';
import { getUser } from '../user/queries.ts';
import { peer } from './schema.ts';

export const projectPeer = projector(peer, {
  rules: {
    /** A device declares itself for the user that it made, or for the one whose invite it shows. */
    user_is_its_own: (query, event) => {
      const { user_id, invite_id, invite_key } = event.body;
      if (invite_id === null)
        return invite_key === null && query(getUser, { user_id })[0]?.device_id === event.author;
      const invite = query(getInvite, { invite_id })[0];
      return invite !== undefined && invite.user_id === user_id && invite.invite_key === invite_key;
    },
  },
  project: (query, event) => [
    insert('peer', { device: event.author, user: event.body.user_id, invite: event.body.invite_id }),
    ...(event.body.invite_id === null &&
    query(getUser, { user_id: event.body.user_id })[0]?.is_admitted === true
      ? letIn(query, event.body.user_id, [event.author])
      : []),
  ],
});
