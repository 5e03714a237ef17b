/** A session with a peer opened or closed, as the host tells. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id, text } from '../../../../core/fields.ts';

export const session = eventType({
  name: 'session',
  class: 'local',
  description: 'A session with a peer opened or closed.',
  body: { session_id: text(64), device_id: id(), state: z.enum(['opened', 'closed']) },
});
