import { insertOnce, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getGroup } from '../group/queries.ts';
import { getDevicesOfUser, speaksFor } from '../peer/queries.ts';
import { groupAdd } from './schema.ts';

export const projectGroupAdd = projector(groupAdd, {
  rules: {
    group_is_private: (query, event) =>
      event.group_id !== null && query(getGroup, { group_id: event.group_id })[0]?.kind === 'private',
    author_may_add: (query, event) => {
      const group = event.group_id === null ? undefined : query(getGroup, { group_id: event.group_id })[0];
      if (
        group !== undefined &&
        query(speaksFor, { device_id: event.author, user_id: group.creator_id }).length > 0
      )
        return true;
      return mayActBy(query, event.author, event.body.basis_id, 'admin');
    },
  },
  project: (query, event) => [
    insertOnce('group_member', { group_n: event.group_id, user: event.body.user_id }),
    ...query(getDevicesOfUser, { user_id: event.body.user_id }).map(({ device_id }) =>
      insertOnce('group_device', { group_id: event.group_id, device: device_id }),
    ),
  ],
});
