/** Erases this identity from this node: every row, every key. Local: to others it is as if the device were away. */
import { eventType } from '../../../../core/event-type.ts';

export const forget = eventType({
  name: 'forget',
  class: 'local',
  description: 'Erases this identity from this node.',
  effect: 'forget',
  body: {},
});
