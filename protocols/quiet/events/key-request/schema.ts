/** A device asks for a group key: it was never given it, or could not open what it was given. The key is owed to it again. */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

/** Asked once a day for one key, and for so many at a time: who names keys that nobody has makes others ask no more than that. */
export const REQUEST_TTL_MS = 86_400_000;
export const REQUESTS_MAX = 50;

export const keyRequest = eventType({
  name: 'key-request',
  class: 'public',
  description: 'A device asks for a group key.',
  body: { key_id: id() },
});
