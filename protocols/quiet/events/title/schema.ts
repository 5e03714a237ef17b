/** The name of a network. The newest counts. */

import { eventType } from '../../../../core/event-type.ts';
import { content, dependsOn } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const title = eventType({
  name: 'title',
  class: 'public',
  description: 'What a network is called.',
  body: { of_id: dependsOn(), title: content(limits.name_bytes_max) },
});
