/** A round of sync with a member has ended in agreement: everything that was under way to this device has come. Local. */
import { eventType } from '../../../../core/event-type.ts';

export const synced = eventType({
  name: 'synced',
  class: 'local',
  description: 'A round of sync has ended in agreement.',
  body: {},
});
