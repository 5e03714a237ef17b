/** A peer: a device that speaks for a user. The device is the author; its public key is its id. */

import { eventType } from '../../../../core/event-type.ts';
import { dependsOn } from '../../../../core/fields.ts';

export const peer = eventType({
  name: 'peer',
  class: 'public',
  description: 'A device speaks for a user.',
  effect: 'membership',
  authors: 'anyone',
  body: { user_id: dependsOn() },
});
