import { event, idOf, proofWith } from '../../../../core/envelope.ts';
import { content, id, text } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';
import { command } from '../../../../core/sources.ts';
import { peer } from '../peer/schema.ts';
import { profile } from '../profile/schema.ts';
import { user } from './schema.ts';

/** Joins a network by an invite. `invite_secret` is a handle: the secret itself stays with the host. */
export const joinNetwork = command(
  {
    description: 'Joins a network by an invite.',
    as: 'new',
    may_wait: true,
    input: {
      network_id: id(),
      invite_id: id(),
      invite_key: id(),
      invite_secret: text(64),
      user_name: content(limits.name_bytes_max),
    },
  },
  (_query, input) => {
    const newcomer = event(user, {
      invite_id: input.invite_id,
      invite_key: input.invite_key,
      invite_proof: proofWith(input.invite_secret),
    });
    return [newcomer, event(peer, { user_id: idOf(newcomer) }), event(profile, { name: input.user_name })];
  },
);
