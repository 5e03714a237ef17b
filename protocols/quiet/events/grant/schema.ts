/**
 * A right given to a user, by the founder or by an admin. `admin`: grant and revoke, remove people, revoke invites, and everything below;
 * `invite`: make invites; `delete`: delete what others wrote.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { basis, dependsOn } from '../../../../core/fields.ts';

export const rights = ['admin', 'invite', 'delete'] as const;
export type Right = (typeof rights)[number];

export const grant = eventType({
  name: 'grant',
  class: 'public',
  description: 'Gives a user a right.',
  effect: 'membership',
  body: { user_id: dependsOn(), right: z.enum(rights), basis_id: basis() },
});
