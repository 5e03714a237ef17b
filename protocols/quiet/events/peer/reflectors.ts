import { event } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { getJoinersToAdmit } from '../admit/queries.ts';
import { admit } from '../admit/schema.ts';
import { peer } from './schema.ts';

/** The same for a further device of somebody; see `reflect_user_admission`. */
export const reflectPeerAdmission = reflector(peer, (query, arrived, ctx) =>
  ctx.session?.device_id !== arrived.author
    ? []
    : query(getJoinersToAdmit, { joiner_id: arrived.event_id, limit: 1 }).map(({ joiner_id }) =>
        event(admit, { joiner_id }),
      ),
);
