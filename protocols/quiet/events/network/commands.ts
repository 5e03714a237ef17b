import { event, idOf } from '../../../../core/envelope.ts';
import { content } from '../../../../core/fields.ts';
import { limits } from '../../../../core/limits.ts';
import { command } from '../../../../core/sources.ts';
import { newPrekeys } from '../../rules/prekeys.ts';
import { channel } from '../channel/schema.ts';
import { peer } from '../peer/schema.ts';
import { profile } from '../profile/schema.ts';
import { title } from '../title/schema.ts';
import { user } from '../user/schema.ts';
import { network } from './schema.ts';

/** Founds a network with its creator as first member, and a channel `general`. */
export const createNetwork = command(
  {
    description: 'Founds a network, with its first member and a channel "general".',
    as: 'new',
    input: { name: content(limits.name_bytes_max), user_name: content(limits.name_bytes_max) },
  },
  (_query, input, ctx) => {
    const root = event(network, { nonce: ctx.random(16).toHex() });
    const group = { group_id: idOf(root) };
    const creator = event(user, { invite_id: null, invite_key: null, invite_proof: null });
    return [
      root,
      creator,
      event(peer, { user_id: idOf(creator), invite_id: null, invite_key: null, invite_proof: null }),
      ...newPrekeys(),
      event(profile, { name: input.user_name }, group),
      event(title, { of_id: idOf(root), title: input.name, basis_id: null }, group),
      event(channel, { name: 'general' }, group),
    ];
  },
);
