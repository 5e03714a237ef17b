/** A message in a channel. */

import { eventType } from '../../../../core/event-type.ts';
import { content, dependsOn } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const message = eventType({
  name: 'message',
  class: 'sealed',
  description: 'Somebody says something in a channel.',
  body: { channel_id: dependsOn(), text: content(limits.text_bytes_max) },
});
