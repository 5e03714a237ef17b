import { event } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { getJoinersToAdmit } from '../admit/queries.ts';
import { admit } from '../admit/schema.ts';
import { user } from './schema.ts';

/**
 * Somebody stands at the door with an invite: the member whom they are connected to lets them in, if by its own clock and knowledge the
 * invite still holds. Others leave it to that member, or there would be an `admit` from each; the job `admit_joiners` makes up for it.
 */
export const reflectUserAdmission = reflector(user, (query, arrived, ctx) =>
  ctx.session?.device_id !== arrived.author
    ? []
    : query(getJoinersToAdmit, { joiner_id: arrived.event_id, limit: 1 }).map(({ joiner_id }) =>
        event(admit, { joiner_id }),
      ),
);
