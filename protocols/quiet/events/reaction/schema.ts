/** A reaction to a message. Goes when the message goes. */

import { eventType } from '../../../../core/event-type.ts';
import { content, dependsOn } from '../../../../core/fields.ts';

export const reaction = eventType({
  name: 'reaction',
  class: 'sealed',
  description: 'Somebody reacts to a message.',
  body: { message_id: dependsOn(), emoji: content(64) },
});
