/** Where a device can be reached. The newest of a device counts. */

import { eventType } from '../../../../core/event-type.ts';
import { text } from '../../../../core/fields.ts';

export const address = eventType({
  name: 'address',
  class: 'public',
  description: 'A device can be reached at host:port.',
  body: {
    address: text(255).regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/, 'expected host:port'),
  },
});
