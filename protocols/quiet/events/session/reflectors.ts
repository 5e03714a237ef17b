import { reflector } from '../../../../core/sources.ts';
import { openingRequest } from '../../reconcile/round.ts';
import { isMember, wasLetIn } from '../sync/queries.ts';
import { getSyncedWith } from '../synced/queries.ts';
import { session } from './schema.ts';

/**
 * A peer is there again: catch up with it now, without waiting for the job. A stranger is told nothing, not even a fingerprint, and has to speak
 * first; but who is new here knows nobody yet.
 */
export const reflectSessionOpened = reflector(session, (query, event, ctx) => {
  const { state, device_id } = event.body;
  if (state !== 'opened' || ctx.me === null) return [];
  const is_new = query(wasLetIn).length === 0;
  if (!is_new && query(isMember, { device_id }).length === 0) return [];
  // Of two that have agreed before, one begins: what both lack is found in one round, and if both began, each would be sent it twice.
  if (ctx.me.device_id > device_id && query(getSyncedWith, { device_id }).length > 0) return [];
  return [openingRequest(query, ctx.now_ms, event.body)];
});
