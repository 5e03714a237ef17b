/** Takes an invite back: nobody who knows of it lets anybody in by it any more. Who was let in stays. */
import { eventType } from '../../../../core/event-type.ts';
import { basis, dependsOn } from '../../../../core/fields.ts';

export const revokeInvite = eventType({
  name: 'revoke-invite',
  class: 'public',
  description: 'Takes an invite back.',
  effect: 'membership',
  body: { invite_id: dependsOn(), basis_id: basis() },
});
