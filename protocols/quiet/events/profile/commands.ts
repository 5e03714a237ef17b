import { event } from '../../../../core/envelope.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { profile } from './schema.ts';

/** Names this user. */
export const setProfile = command(
  { description: 'Names this user.', input: { name: profile.shape.name } },
  (_query, input, ctx) => {
    if (ctx.me?.network_id == null) throw refuse('not_found', 'This identity is in no network.');
    return [event(profile, { name: input.name }, { group_id: ctx.me.network_id })];
  },
);
