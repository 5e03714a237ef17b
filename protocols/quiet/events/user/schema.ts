/**
 * A user: a person in a network, known by the id of this event. The founder comes without an invite; everybody else shows the id and the public
 * key of one, and a proof by its secret over this network and device. A user counts once a member's `admit` names it.
 */

import { eventType } from '../../../../core/event-type.ts';
import { bytes, dependsOn, id } from '../../../../core/fields.ts';

export const user = eventType({
  name: 'user',
  class: 'public',
  description: 'A person enters the network, by an invite.',
  effect: 'membership',
  authors: 'anyone',
  proof: { key: 'invite_key', signature: 'invite_proof' },
  body: {
    invite_id: dependsOn().nullable(),
    invite_key: id().nullable(),
    invite_proof: bytes(64).nullable(),
  },
});
