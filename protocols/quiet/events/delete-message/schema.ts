/**
 * Deletes a message (or anything else that is sealed), and with it whatever hangs on it. The signed header names the target and when the target
 * expires, so that it outlives it; the body carries the target's own signed header, so that everybody can judge whose it was without having it.
 */

import { eventType } from '../../../../core/event-type.ts';
import { basis, bytes } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';

export const deleteMessage = eventType({
  name: 'delete-message',
  class: 'sealed',
  description: 'Deletes a message.',
  effect: 'delete',
  body: {
    target_header: bytes(1, limits.header_bytes_max),
    target_signature: bytes(64),
    /** Of who deletes what others wrote: the grant of the right to. */
    basis_id: basis(),
  },
});
