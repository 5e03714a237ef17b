/** The prekeys that this device has published so far are to be used no more: what they carried must be forgotten. Local. */
import { eventType } from '../../../../core/event-type.ts';

export const retirePrekeys = eventType({
  name: 'retire-prekeys',
  class: 'local',
  description: 'Retires the prekeys published so far.',
  effect: 'retire',
  body: {},
});
