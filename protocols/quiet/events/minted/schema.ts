/** A group key has been made here. Local. */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

export const minted = eventType({
  name: 'minted',
  class: 'local',
  description: 'A group key has been made here.',
  effect: 'minted',
  body: { key_id: id() },
});
