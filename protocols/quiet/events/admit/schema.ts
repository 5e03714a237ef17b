/** A member lets a user in: from here on the events of the user's devices count. Several for one user do no harm. */

import { eventType } from '../../../../core/event-type.ts';
import { dependsOn } from '../../../../core/fields.ts';

export const admit = eventType({
  name: 'admit',
  class: 'public',
  description: 'A member lets a user in.',
  effect: 'membership',
  body: { user_id: dependsOn() },
});
