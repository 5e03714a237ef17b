/** How far another user's clock is from ours, as one of their devices told it. Only ever used to clear a suspicion against our own. */

import { eventType } from '../../../../core/event-type.ts';
import { id, integer } from '../../../../core/fields.ts';

export const clockWitness = eventType({
  name: 'clock-witness',
  class: 'local',
  description: 'How far the clock of another user is from ours.',
  body: { user_id: id(), offset_ms: integer(Number.MIN_SAFE_INTEGER) },
});
