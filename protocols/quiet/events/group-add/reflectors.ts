import { reflector } from '../../../../core/sources.ts';
import { deliveries } from '../../rules/deliveries.ts';
import { getDevicesOfUser } from '../peer/queries.ts';
import { groupAdd } from './schema.ts';

/** Whoever put somebody into a group gives them the group's keys at once. */
export const reflectGroupAddition = reflector(groupAdd, (query, added, ctx) =>
  ctx.from === 'here'
    ? query(getDevicesOfUser, { user_id: added.body.user_id }).flatMap(({ device_id }) =>
        deliveries(query, ctx.now_ms, { device_id, key_id: null }),
      )
    : [],
);
