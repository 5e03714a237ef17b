/** What a network, a channel or a group is called. The newest counts. */

import { eventType } from '../../../../core/event-type.ts';
import { basis, content, dependsOn } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const title = eventType({
  name: 'title',
  class: 'sealed',
  description: 'What a network, a channel or a group is called.',
  body: { of_id: dependsOn(), title: content(limits.name_bytes_max), basis_id: basis() },
});
