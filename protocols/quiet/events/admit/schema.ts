/** A member lets somebody in: a user, or a further device of a user (by its `peer` event). Several for one do no harm. */

import { eventType } from '../../../../core/event-type.ts';
import { dependsOn } from '../../../../core/fields.ts';

export const admit = eventType({
  name: 'admit',
  class: 'public',
  description: 'A member lets a user or a device in.',
  effect: 'membership',
  body: { joiner_id: dependsOn() },
});
