import { reflector } from '../../../../core/sources.ts';
import { deliveries } from '../../rules/deliveries.ts';
import { keyRequest } from './schema.ts';

/** A device that is connected to us asks for a key: it gets it, if we hold it and it is entitled to it. */
export const reflectKeyRequest = reflector(keyRequest, (query, asked, ctx) =>
  ctx.session?.device_id === asked.author
    ? deliveries(query, ctx.now_ms, { device_id: asked.author, key_id: asked.body.key_id })
    : [],
);
