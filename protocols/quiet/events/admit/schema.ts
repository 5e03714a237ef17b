/** A member lets a user in: from here on the events of the user's devices count. Several for one user do no harm. */
import { dependsOn } from '../../../../core/fields.ts';
import { eventType } from '../../../../core/event-type.ts';

export const admit = eventType({
  name: 'admit',
  class: 'public',
  description: 'A member lets a user in.',
  effect: 'membership',
  body: { user_id: dependsOn() },
});
