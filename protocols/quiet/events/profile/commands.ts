import { event } from '../../../../core/envelope.ts';
import { command } from '../../../../core/sources.ts';
import { profile } from './schema.ts';

/** Names this user. */
export const setProfile = command(
  { description: 'Names this user.', input: { name: profile.shape.name } },
  (_query, input) => [event(profile, { name: input.name })],
);
