import { insert, projector } from '../../../../core/sources.ts';
import { getInvite } from '../invite/queries.ts';
import { getNetworkCreator } from '../network/queries.ts';
import { user } from './schema.ts';

export const projectUser = projector(user, {
  rules: {
    /** A device enters once, before it says anything else. */
    is_the_first_of_its_device: (_query, event) => event.seq === (event.body.invite_id === null ? 2 : 1),
    /** Without an invite only the founder enters, and it needs none. */
    founder_or_invited: (query, event) =>
      event.body.invite_id !== null || query(getNetworkCreator)[0]?.device_id === event.author,
    /** The key that the proof was checked against is the one of the invite. */
    invite_key_is_the_invites: (query, event) =>
      event.body.invite_id === null ||
      query(getInvite, { invite_id: event.body.invite_id })[0]?.invite_key === event.body.invite_key,
    /** A link for another device of somebody lets no new user in. */
    invite_is_for_people: (query, event) =>
      event.body.invite_id === null ||
      query(getInvite, { invite_id: event.body.invite_id })[0]?.user_id === null,
  },
  project: (_query, event) => [insert('user', { device: event.author, invite: event.body.invite_id })],
});
