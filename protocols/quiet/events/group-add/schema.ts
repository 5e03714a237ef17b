/** Puts a user into a private group, by its founder or an admin: from then on they read all of it. */
import { eventType } from '../../../../core/event-type.ts';
import { basis, dependsOn } from '../../../../core/fields.ts';

export const groupAdd = eventType({
  name: 'group-add',
  class: 'public',
  description: 'Puts a user into a private group.',
  effect: 'membership',
  body: { user_id: dependsOn(), basis_id: basis() },
});
