/** A reaction to a message. Goes when the message goes. */

import { eventType } from '../../../../core/event-type.ts';
import { content, diesWith } from '../../../../core/fields.ts';

export const reaction = eventType({
  name: 'reaction',
  class: 'public',
  description: 'Somebody reacts to a message.',
  body: { message_id: diesWith(), emoji: content(64) },
});
