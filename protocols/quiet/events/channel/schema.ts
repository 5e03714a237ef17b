/** A channel: a named stream of messages in a group. It can be given another name by a `title`. */

import { eventType } from '../../../../core/event-type.ts';
import { content } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const channel = eventType({
  name: 'channel',
  class: 'sealed',
  description: 'Opens a channel.',
  body: { name: content(limits.name_bytes_max) },
});
