/** Takes from this node's disk the content of what has expired, or the wraps that a rekeying has replaced. Local: no peer is told. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const deleteEvent = eventType({
  name: 'delete-event',
  class: 'local',
  description: 'Takes what is dead, or no longer needed, from the disk.',
  effect: 'erase',
  body: {
    event_ids: z.array(id()).max(limits.events_per_instruction_max),
    /** `expired`: their content. `hanging`: what hangs on them, who are dead. `rekeyed`: wraps that were replaced. */
    why: z.enum(['expired', 'hanging', 'rekeyed']),
  },
});
