/**
 * A peer: a device that speaks for a user. The device is the author; its public key is its id. The first device of a user is the one that made
 * the user; a further one shows an invite that a device of that user made for it, and counts once a member's `admit` names this event.
 */

import { eventType } from '../../../../core/event-type.ts';
import { bytes, dependsOn, id } from '../../../../core/fields.ts';

export const peer = eventType({
  name: 'peer',
  class: 'public',
  description: 'A device speaks for a user.',
  effect: 'membership',
  authors: 'anyone',
  proof: { key: 'invite_key', signature: 'invite_proof' },
  body: {
    user_id: dependsOn(),
    invite_id: dependsOn().nullable(),
    invite_key: id().nullable(),
    invite_proof: bytes(64).nullable(),
  },
});
