import { insert, insertOnce, projector } from '../../../../core/sources.ts';
import { getDevicesOfUser } from '../peer/queries.ts';
import { admit } from './schema.ts';

export const projectAdmit = projector(admit, {
  project: (query, event) => [
    insert('admit', { user: event.body.user_id }),
    ...query(getDevicesOfUser, { user_id: event.body.user_id }).map(({ device_id }) =>
      insertOnce('member_device', { device: device_id }),
    ),
  ],
});
