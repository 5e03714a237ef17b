import { insert, insertOnce, projector } from '../../../../core/sources.ts';
import { getUser } from '../user/queries.ts';
import { peer } from './schema.ts';

export const projectPeer = projector(peer, {
  rules: {
    /** A device can only declare itself for the user that it made. */
    user_is_its_own: (query, event) =>
      query(getUser, { user_id: event.body.user_id })[0]?.device_id === event.author,
  },
  project: (query, event) => [
    insert('peer', { device: event.author, user: event.body.user_id }),
    ...(query(getUser, { user_id: event.body.user_id })[0]?.is_admitted === true
      ? [insertOnce('member_device', { device: event.author })]
      : []),
  ],
});
