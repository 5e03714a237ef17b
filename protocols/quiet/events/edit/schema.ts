/**
 * A new text for a message. It takes the message's place: the old text is forgotten. It carries the message's own signed header, so that somebody
 * who comes later, and never gets the old text, still knows whose message it is and since when.
 */
import { eventType } from '../../../../core/event-type.ts';
import { bytes, content, dependsOn } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const edit = eventType({
  name: 'edit',
  class: 'sealed',
  description: 'Gives a message a new text.',
  effect: 'replace',
  replaces: 'message',
  body: {
    channel_id: dependsOn(),
    text: content(limits.text_bytes_max),
    target_header: bytes(1, limits.header_bytes_max),
    target_signature: bytes(64),
  },
});
