/** Seals the content keys of events anew, under another group key. The founding document's `rekey`: only the wrap changes, never the event. Local. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const rekey = eventType({
  name: 'rekey',
  class: 'local',
  description: 'Seals the content keys of events anew.',
  effect: 'rekey',
  body: {
    /** The key to seal them under. */
    key_id: id(),
    event_ids: z.array(id()).max(limits.events_per_instruction_max),
  },
});
