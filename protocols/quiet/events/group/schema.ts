/**
 * A private group: users who share keys, and whom alone its events reach, this one first of all. `direct`: a conversation whose members never
 * change. It has no name of its own; a `title` in the group gives it one.
 */
import { z } from 'zod';
import { eventType } from '../../../../core/event-type.ts';
import { dependsOn } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const group = eventType({
  name: 'group',
  class: 'public',
  description: 'Founds a private group.',
  effect: 'group',
  body: {
    kind: z.enum(['private', 'direct']),
    /** Besides its founder. */
    member_ids: z.array(dependsOn()).max(limits.group_founders_max),
  },
});
