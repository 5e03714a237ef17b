/** An instruction to make a keypair. Its secret goes to a key slot, or to the caller of the command; never through a pure function. */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

export const keypair = eventType({
  name: 'keypair',
  class: 'local',
  description: 'Makes a keypair.',
  effect: 'keygen',
  body: { purpose: z.enum(['device', 'invite', 'prekey']), network_id: id().nullable() },
});
