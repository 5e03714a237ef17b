import { event } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { admit } from '../admit/schema.ts';
import { getInvite } from '../invite/queries.ts';
import { getUserOfDevice } from './queries.ts';
import { user } from './schema.ts';

/**
 * Somebody stands at the door with an invite: the member whom they are connected to lets them in, if by its own clock and knowledge the
 * invite still holds. Others leave it to that member, or there would be an `admit` from each.
 */
export const reflectUserAdmission = reflector(user, (query, arrived, ctx) => {
  if (ctx.session?.device_id !== arrived.author || arrived.body.invite_id === null || ctx.me === null)
    return [];
  if (query(getUserOfDevice, { device_id: ctx.me.device_id })[0]?.is_member !== true) return [];
  const invite = query(getInvite, { invite_id: arrived.body.invite_id })[0];
  if (invite === undefined || invite.expires_ms <= ctx.now_ms || invite.used >= invite.uses) return [];
  return [event(admit, { user_id: arrived.event_id })];
});
