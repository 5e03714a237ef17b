import { type Envelope, event, idOf, instruct } from '../../../../core/envelope.ts';
import type { Id } from '../../../../core/fields.ts';
import { integer, ttl_ms } from '../../../../core/fields.ts';
import { type Context, command, refuse } from '../../../../core/sources.ts';
import { basisFor } from '../../rules/basis.ts';
import { keypair } from '../keypair/schema.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { invite } from './schema.ts';

/** Makes an invite. The reply holds its secret, once; it is kept nowhere. */
export const createInvite = command(
  {
    description: 'Makes an invite; the reply holds its secret, once.',
    input: { uses: integer(1, 10_000), ttl_ms: ttl_ms() },
  },
  (query, input, ctx) => inviteWith(ctx, input, { user_id: null, basis_id: basisFor(query, ctx, 'invite') }),
);

/** Makes a link for another device of this user; the reply holds its secret, once. */
export const createDeviceLink = command(
  {
    description: 'Makes a link for another device of this user; the reply holds its secret, once.',
    input: { ttl_ms: ttl_ms() },
  },
  (query, input, ctx) => {
    const me = ctx.me === null ? undefined : query(getUserOfDevice, { device_id: ctx.me.device_id })[0];
    if (me === undefined) throw refuse('not_found', 'This device is no member yet.');
    return inviteWith(ctx, { uses: 1, ttl_ms: input.ttl_ms }, { user_id: me.user_id, basis_id: null });
  },
);

function inviteWith(
  ctx: Context,
  input: { readonly uses: number; readonly ttl_ms: number },
  of: { readonly user_id: Id | null; readonly basis_id: Id | null },
): Envelope[] {
  if (input.ttl_ms === 0)
    throw refuse('bad_input', 'Expected an invite to expire, got 0. Give it days, not for ever.');
  const secret = instruct(keypair, { purpose: 'invite', network_id: null });
  return [
    secret,
    event(invite, {
      invite_key: idOf(secret),
      uses: input.uses,
      invite_expires_ms: ctx.now_ms + input.ttl_ms,
      ...of,
    }),
  ];
}
