/** Everything in a channel up to a time has been read on this device. Local. */
import { eventType } from '../../../../core/event-type.ts';
import { id, time_ms } from '../../../../core/fields.ts';

export const readMark = eventType({
  name: 'read-mark',
  class: 'local',
  description: 'Everything in a channel up to a time has been read.',
  body: { channel_id: id(), read_until_ms: time_ms() },
});
