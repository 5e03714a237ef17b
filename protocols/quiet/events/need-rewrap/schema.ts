/** Events that the other side sent, sealed under keys that are closed here: they are wanted under other keys. Transient. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const needRewrap = eventType({
  name: 'need-rewrap',
  class: 'transient',
  description: 'Asks for events to be sealed under other keys.',
  effect: 'need_rewrap',
  body: { event_ids: z.array(id()).max(limits.events_per_instruction_max) },
});
