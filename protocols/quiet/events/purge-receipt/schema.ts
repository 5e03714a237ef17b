/** No copy of the secrets that were erased is left in the file. Local, by the host, once it has seen to that. */
import { eventType } from '../../../../core/event-type.ts';
import { integer } from '../../../../core/fields.ts';

export const purgeReceipt = eventType({
  name: 'purge-receipt',
  class: 'local',
  description: 'Notes that what was erased is gone.',
  effect: 'receipt',
  body: {
    /** The number of the last erasure that it is about. */
    until: integer(),
  },
});
