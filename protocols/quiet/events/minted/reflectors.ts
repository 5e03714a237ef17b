import { reflector } from '../../../../core/sources.ts';
import { deliveries } from '../../rules/deliveries.ts';
import { minted } from './schema.ts';

/** A new key goes to everybody in its group at once: in the same transaction as the first event that it seals. */
export const reflectMintedKey = reflector(minted, (query, made, ctx) =>
  deliveries(query, ctx.now_ms, { device_id: null, key_id: made.body.key_id }),
);
