import { event, idOf, instruct } from '../../../../core/envelope.ts';
import { integer, ttl_ms } from '../../../../core/fields.ts';
import { command, refuse } from '../../../../core/sources.ts';
import { keypair } from '../keypair/schema.ts';
import { invite } from './schema.ts';

/** Makes an invite. The reply holds its secret, once; it is kept nowhere. */
export const createInvite = command(
  {
    description: 'Makes an invite; the reply holds its secret, once.',
    input: { uses: integer(1, 10_000), ttl_ms: ttl_ms() },
  },
  (_query, input, ctx) => {
    if (input.ttl_ms === 0)
      throw refuse('bad_input', 'Expected an invite to expire, got 0. Give it days, not for ever.');
    const secret = instruct(keypair, { purpose: 'invite', network_id: null });
    return [
      secret,
      event(invite, {
        invite_key: idOf(secret),
        uses: input.uses,
        invite_expires_ms: ctx.now_ms + input.ttl_ms,
      }),
    ];
  },
);
