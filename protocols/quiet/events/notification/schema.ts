/** A note for the user of this node: something happened that concerns them. Local: nobody else ever sees it. */

import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

export const notification = eventType({
  name: 'notification',
  class: 'local',
  description: 'Something happened that concerns the user of this node.',
  body: { event_id: id(), about_id: id() },
});
