import { id } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { basisOrNone } from '../../rules/basis.ts';
import { removalDraft } from '../../rules/removal.ts';
import { getGroup } from '../group/queries.ts';
import { speaksFor } from '../peer/queries.ts';
import { getUser, getUserOfDevice } from '../user/queries.ts';

/** Removes a user with all devices, from the network or from one private group. */
export const removeUser = command(
  {
    description: 'Removes a user with all devices, from the network or from one private group.',
    input: { user_id: id(), group_id: id().nullable() },
  },
  (query, input, ctx) => {
    if (ctx.me === null || query(getUser, { user_id: input.user_id }).length === 0)
      throw refuse('not_found', 'There is no such user here.');
    const is_me = query(speaksFor, { device_id: ctx.me.device_id, user_id: input.user_id }).length > 0;
    const group = input.group_id === null ? undefined : query(getGroup, { group_id: input.group_id })[0];
    if (group?.kind === 'direct') throw refuse('is_direct', 'A direct conversation has fixed members.');
    const is_creator =
      group !== undefined &&
      query(speaksFor, { device_id: ctx.me.device_id, user_id: group.creator_id }).length > 0;
    const basis_id = basisOrNone(query, ctx, 'admin');
    if (basis_id === undefined && !is_me && !is_creator)
      throw refuse('not_entitled', `Only somebody with the right 'admin' can remove others.`);
    const who = { user_id: input.user_id, device_id: null };
    return [removalDraft(query, who, input.group_id, { basis_id: basis_id ?? null, because_id: null })];
  },
);

/** Removes one device of a user: a lost one of one's own, or (with the right) anybody's. */
export const removeDevice = command(
  { description: 'Removes one device.', input: { device_id: id() } },
  (query, input, ctx) => {
    const owner = query(getUserOfDevice, { device_id: input.device_id })[0];
    if (ctx.me === null || owner === undefined) throw refuse('not_found', 'There is no such device here.');
    const is_me = query(speaksFor, { device_id: ctx.me.device_id, user_id: owner.user_id }).length > 0;
    const basis_id = basisOrNone(query, ctx, 'admin');
    if (basis_id === undefined && !is_me)
      throw refuse('not_entitled', `Only somebody with the right 'admin' can remove devices of others.`);
    const who = { user_id: owner.user_id, device_id: input.device_id };
    return [removalDraft(query, who, null, { basis_id: basis_id ?? null, because_id: null })];
  },
);

/** Leaves the network, with all devices of this user. */
export const leaveNetwork = command(
  { description: 'Leaves the network, with all devices of this user.', input: {} },
  (query, _input, ctx) => {
    const me = ctx.me === null ? undefined : query(getUserOfDevice, { device_id: ctx.me.device_id })[0];
    if (me === undefined) throw refuse('not_found', 'This device is no member.');
    const who = { user_id: me.user_id, device_id: null };
    return [removalDraft(query, who, null, { basis_id: null, because_id: null })];
  },
);
