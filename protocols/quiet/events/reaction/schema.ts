/** A reaction to a message. Goes when the message goes. */
import { content, diesWith } from '../../../../core/fields.ts';
import { eventType } from '../../../../core/event-type.ts';

export const reaction = eventType({
  name: 'reaction',
  class: 'public',
  description: 'Somebody reacts to a message.',
  body: { message_id: diesWith(), emoji: content(64) },
});
