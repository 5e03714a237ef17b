import { event, idOf, proofWith } from '../../../../core/envelope.ts';
import { id, text } from '../../../../core/fields.ts';
import { command } from '../../../../core/sources.ts';
import { newPrekeys } from '../../rules/prekeys.ts';
import { peer } from '../peer/schema.ts';
import { user } from './schema.ts';

const link = { network_id: id(), invite_id: id(), invite_key: id(), invite_secret: text(64) };

/**
 * Joins a network by an invite. `invite_secret` is a handle: the secret itself stays with the host. The prekeys come along, so that whoever
 * lets the newcomer in can give them the keys at once.
 */
export const joinNetwork = command(
  { description: 'Joins a network by an invite.', as: 'new', may_wait: true, input: link },
  (_query, input) => {
    const newcomer = event(user, {
      invite_id: input.invite_id,
      invite_key: input.invite_key,
      invite_proof: proofWith(input.invite_secret),
    });
    const device = { user_id: idOf(newcomer), invite_id: null, invite_key: null, invite_proof: null };
    return [newcomer, event(peer, device), ...newPrekeys()];
  },
);

/** Joins a network as a further device of a user, by a link that another device of theirs made. */
export const linkThisDevice = command(
  {
    description: 'Joins a network as a further device of a user.',
    as: 'new',
    may_wait: true,
    input: { ...link, user_id: id() },
  },
  (_query, input) => [
    event(peer, {
      user_id: input.user_id,
      invite_id: input.invite_id,
      invite_key: input.invite_key,
      invite_proof: proofWith(input.invite_secret),
    }),
    ...newPrekeys(),
  ],
);
