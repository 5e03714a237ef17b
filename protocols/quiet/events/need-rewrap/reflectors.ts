import { forward } from '../../../../core/envelope.ts';
import { reflector } from '../../../../core/sources.ts';
import { isUnderDirtyKey } from './queries.ts';
import { needRewrap } from './schema.ts';

/**
 * Sends what a peer could not take in once more, sealed anew on the way. Only what is under a dirty key here, too: where this node has not heard of the
 * deletion yet, it would send the same again; the next round of sync brings first the one and then the other.
 */
export const reflectNeedRewrap = reflector(needRewrap, (query, asked, ctx) => {
  const { session } = ctx;
  if (session === null) return [];
  return asked.body.event_ids
    .filter((event_id) => query(isUnderDirtyKey, { event_id }).length > 0)
    .map((event_id) => forward(event_id, session.session_id));
});
