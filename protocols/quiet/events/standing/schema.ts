/** Judges anew whose events count, after somebody was let in, given a right, or removed. Local; emitted by the pipeline itself. */
import { eventType } from '../../../../core/event-type.ts';

export const standing = eventType({
  name: 'standing',
  class: 'local',
  description: 'Judges anew whose events count.',
  effect: 'standing',
  body: {},
});
