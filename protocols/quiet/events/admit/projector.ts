import { insert, projector } from '../../../../core/sources.ts';
import { letIn } from '../../rules/membership.ts';
import { getFirstDevices, getPeer } from '../peer/queries.ts';
import { getUser } from '../user/queries.ts';
import { admit } from './schema.ts';

export const projectAdmit = projector(admit, {
  rules: {
    joiner_came_by_an_invite: (query, event) => {
      const { joiner_id } = event.body;
      const invite_id =
        query(getUser, { user_id: joiner_id })[0]?.invite_id ??
        query(getPeer, { peer_id: joiner_id })[0]?.invite_id;
      return invite_id != null;
    },
  },
  project: (query, event) => {
    const { joiner_id } = event.body;
    const linked = query(getPeer, { peer_id: joiner_id })[0];
    return [
      insert('admit', { joiner: joiner_id }),
      ...(linked === undefined
        ? letIn(
            query,
            joiner_id,
            query(getFirstDevices, { user_id: joiner_id }).map(({ device_id }) => device_id),
          )
        : letIn(query, linked.user_id, [linked.device_id])),
    ];
  },
});
