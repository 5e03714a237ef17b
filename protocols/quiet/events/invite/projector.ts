import { insert, projector } from '../../../../core/sources.ts';
import { invite } from './schema.ts';

export const projectInvite = projector(invite, {
  project: (_query, event) => [
    insert('invite', {
      invite_key: event.body.invite_key,
      uses: event.body.uses,
      invite_expires_ms: event.body.invite_expires_ms,
    }),
  ],
});
