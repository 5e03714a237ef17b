/** A round of sync with a member has ended in agreement: everything that was under way to this device has come. Local. */
import { eventType } from '../../../../core/event-type.ts';
import { id, integer } from '../../../../core/fields.ts';

export const synced = eventType({
  name: 'synced',
  class: 'local',
  description: 'A round of sync has ended in agreement.',
  body: {
    /** With whom. */
    device_id: id(),
    /** The last event that this device had taken in by then (its row's number): the other has all up to it that both may read. */
    through_n: integer(),
  },
});
