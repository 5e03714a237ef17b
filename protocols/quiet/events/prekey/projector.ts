import { insert, projector } from '../../../../core/sources.ts';
import { PREKEY_TTL_MS, prekey } from './schema.ts';

export const projectPrekey = projector(prekey, {
  rules: {
    /** A prekey for ever would keep what it carried readable for ever. */
    expires_in_time: (_query, event) => event.expires_ms - event.created_ms <= PREKEY_TTL_MS,
  },
  project: (_query, event) => [insert('prekey', { public_key: event.body.public_key })],
});
