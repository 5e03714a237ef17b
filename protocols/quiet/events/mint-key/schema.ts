/** Makes a group key, for events that have to be sealed anew and have no clean key to go to. Local. */
import { eventType } from '../../../../core/event-type.ts';
import { id, time_ms } from '../../../../core/fields.ts';

export const mintKey = eventType({
  name: 'mint-key',
  class: 'local',
  description: 'Makes a group key.',
  effect: 'mint',
  body: {
    group_id: id(),
    channel_id: id().nullable(),
    /** Of what it is for: the key lives at least as long. */
    expires_ms: time_ms(),
  },
});
