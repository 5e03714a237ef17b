/**
 * Removes a user, or one device of a user: from the network, or (when it is for a private group) from that group. For each device it names the last
 * event that counts; afterwards an event of it counts only if it is that one or is reached from it by `prev`. Leaving is removing oneself.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { basis, boolean, dependsOn, id, integer } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

const most = limits.devices_per_user_max;

export const remove = eventType({
  name: 'remove',
  class: 'public',
  description: 'Removes a user or a device.',
  effect: 'membership',
  body: {
    user_id: dependsOn(),
    /** Devices that are not named are removed, too, and nothing of them counts. */
    whole_user: boolean(),
    device_ids: z.array(id()).max(most),
    head_seqs: z.array(integer()).max(most),
    /** Zeros where `head_seqs` is 0. */
    head_ids: z.array(id()).max(most),
    basis_id: basis(),
    /** In a group: the removal from the network that this one follows. Any member of the group may then name the heads in it. */
    because_id: dependsOn().nullable(),
    /** Removals of the same user that its author knew: it cannot raise their cuts. */
    known_ids: z.array(dependsOn()).max(16),
  },
});
