/** A network: the root of all trust in it. Its id is the id of this event, so that whoever has the id can check the root. Its name is a `title`. */

import { eventType } from '../../../../core/event-type.ts';
import { bytes } from '../../../../core/fields.ts';

export const network = eventType({
  name: 'network',
  class: 'public',
  description: 'Founds a network.',
  effect: 'root',
  authors: 'anyone',
  body: {
    /** Makes two networks founded in the same millisecond differ. */
    nonce: bytes(16),
  },
});
