/** An instruction to take up what has waited for its time, and to drop what has waited too long. */
import { eventType } from '../../../../core/event-type.ts';

export const releaseWaiting = eventType({
  name: 'release-waiting',
  class: 'local',
  description: 'Takes up events that have waited for their time.',
  effect: 'release',
  body: {},
});
