/** Stored events were looked through for gaps in their authors' chains. Local. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id, integer } from '../../../../core/fields.ts';

/** Events looked through at a time, and known gaps looked at again. */
export const SCANNED_MAX = 1_000;

export const chainScan = eventType({
  name: 'chain-scan',
  class: 'local',
  description: 'Stored events were looked through for gaps in the chains of their authors.',
  body: {
    /** The last one looked at, by its row's number. */
    through_n: integer(),
    /** Ids that they name as the one before, and of which nothing is here. */
    missing: z.array(id()).max(SCANNED_MAX),
    /** Ids that were missing, and are not any more. */
    found: z.array(id()).max(SCANNED_MAX),
  },
});
