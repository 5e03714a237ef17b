/**
 * Says that on its author's device these deleted events cannot be had any more, not even from anything that was ever recorded: every key that the device
 * has known them to be under is out of reach there. What others are told of a deletion.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

/** How long others are told: a quarter of a year. */
export const FORGOTTEN_TTL_MS = 90 * 86_400_000;
export const FORGOTTEN_MAX = 256;

export const forgotten = eventType({
  name: 'forgotten',
  class: 'public',
  description: 'A device has forgotten what was deleted.',
  body: { event_ids: z.array(id()).min(1).max(FORGOTTEN_MAX) },
});
