import { reflector } from '../../../../core/sources.ts';
import { deliveries } from '../../rules/deliveries.ts';
import { prekey } from './schema.ts';

/**
 * A device that is connected to us advertises a prekey: it gets the keys it is owed at once. Who is not connected to it leaves that to who is;
 * the job `share_keys` makes up for whatever was missed.
 */
export const reflectPrekeyDelivery = reflector(prekey, (query, arrived, ctx) =>
  ctx.session?.device_id === arrived.author
    ? deliveries(query, ctx.now_ms, { device_id: arrived.author, key_id: null })
    : [],
);
