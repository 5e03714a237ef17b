/**
 * An invite: the public half of a secret that is in a link and nowhere else. How often and how long it may be used is judged by the member who
 * admits, by its own clock and knowledge. With `user_id` it lets no new user in, but one more device of its maker.
 */

import { eventType } from '../../../../core/event-type.ts';
import { basis, dependsOn, id, integer, time_ms } from '../../../../core/fields.ts';

export const invite = eventType({
  name: 'invite',
  class: 'public',
  description: 'Whoever holds the secret of this key may join.',
  effect: 'membership',
  body: {
    invite_key: id(),
    uses: integer(1, 10_000),
    invite_expires_ms: time_ms(),
    user_id: dependsOn().nullable(),
    basis_id: basis(),
  },
});
