import { insert, insertOnce, projector } from '../../../../core/sources.ts';
import { getDevicesOfUser } from '../peer/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { group } from './schema.ts';

export const projectGroup = projector(group, {
  rules: {
    /** For itself: its header names no group, and it is the first event of its author's chain there. */
    begins_its_chain: (_query, event) => event.group_id === null && event.seq === 1,
    direct_is_between_two_or_more: (_query, event) =>
      event.body.kind !== 'direct' || event.body.member_ids.length > 0,
    never_expires: (_query, event) => event.expires_ms === Number.MAX_SAFE_INTEGER,
    author_speaks_for_a_user: (query, event) =>
      query(getUserOfDevice, { device_id: event.author }).length > 0,
  },
  project: (query, event) => {
    const creator = query(getUserOfDevice, { device_id: event.author })[0]?.user_id ?? '';
    const users = [...new Set([creator, ...event.body.member_ids])];
    return [
      insert('private_group', { kind: event.body.kind, creator }),
      ...users.flatMap((user_id) => [
        insertOnce('group_member', { group_n: event.event_id, user: user_id }),
        ...query(getDevicesOfUser, { user_id }).map(({ device_id }) =>
          insertOnce('group_device', { group_id: event.event_id, device: device_id }),
        ),
      ]),
    ];
  },
});
