/** What a user wants to be called. The newest of a user's devices counts. */

import { eventType } from '../../../../core/event-type.ts';
import { content } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const profile = eventType({
  name: 'profile',
  class: 'sealed',
  description: 'What a user wants to be called.',
  body: { name: content(limits.name_bytes_max) },
});
