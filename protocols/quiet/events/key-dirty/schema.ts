/**
 * Says that a group key has sealed something that was deleted or edited, so that whoever holds it erases it. Most devices see that for themselves; this is for
 * those that never had the deleted event, or had it under another key. Never taken back, whoever said it: at the worst, events are sealed anew.
 */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

export const keyDirty = eventType({
  name: 'key-dirty',
  class: 'public',
  description: 'Says that a group key must be erased.',
  effect: 'dirty',
  body: { key_id: id() },
});
