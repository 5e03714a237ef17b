/** Says that on its author's device a group key cannot be had any more, from nothing that was ever recorded: what others are told of a deletion there. */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

/** How long others are told: a quarter of a year. */
export const FORGOTTEN_TTL_MS = 90 * 86_400_000;

export const forgotten = eventType({
  name: 'forgotten',
  class: 'public',
  description: 'A device has forgotten a group key.',
  body: { key_id: id() },
});
