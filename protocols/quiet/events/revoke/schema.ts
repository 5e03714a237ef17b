/**
 * Takes a right away again. As a removal does, it names the last event of each of the user's devices that may still have used it; what is not
 * reached from there does not count.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { basis, dependsOn, id, integer } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

const most = limits.devices_per_user_max;

export const revoke = eventType({
  name: 'revoke',
  class: 'public',
  description: 'Takes a right away.',
  effect: 'membership',
  body: {
    grant_id: dependsOn(),
    device_ids: z.array(id()).max(most),
    head_seqs: z.array(integer()).max(most),
    head_ids: z.array(id()).max(most),
    basis_id: basis(),
    /** In a private group: the revocation that this one follows, to name the heads there, too. Any member of the group may. */
    because_id: dependsOn().nullable(),
  },
});
