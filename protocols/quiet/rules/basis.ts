/** By what right this device acts, for commands: the grant to name, null for the founder. Refuses where there is none. */
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { type Context, refuse } from '../../../core/sources.ts';
import { getRights } from '../events/grant/queries.ts';
import type { Right } from '../events/grant/schema.ts';
import { getUserOfDevice } from '../events/user/queries.ts';
import { isFounder } from './rights.ts';

export function basisFor(query: Query, ctx: Context, right: Right): Id | null {
  const found = basisOrNone(query, ctx, right);
  if (found === undefined)
    throw refuse(
      'not_entitled',
      `This needs the right '${right}'${right === 'admin' ? '' : " (or 'admin')"}; an admin can grant it.`,
    );
  return found;
}

/** The same; undefined where there is none. */
export function basisOrNone(query: Query, ctx: Context, right: Right): Id | null | undefined {
  if (ctx.me === null) return undefined;
  const { device_id } = ctx.me;
  if (isFounder(query, device_id)) return null;
  const me = query(getUserOfDevice, { device_id })[0];
  if (me === undefined) return undefined;
  return query(getRights, { user_id: me.user_id }).find(
    (grant) => grant.right === right || grant.right === 'admin',
  )?.grant_id;
}
