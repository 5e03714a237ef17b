/** Erases a secret from its slot, if nothing needs it any more. Local: it can never come from the network, and never leaves. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { boolean, id } from '../../../../core/fields.ts';

export const purgeKey = eventType({
  name: 'purge-key',
  class: 'local',
  description: 'Erases a key.',
  effect: 'purge',
  body: {
    kind: z.enum(['group_key', 'prekey']),
    /** Of a prekey its public half. */
    key_id: id(),
    /** There is no other way to delete a key here. */
    secure_delete: boolean(),
  },
});
