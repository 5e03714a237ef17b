/** Compares what we have with what each connected peer has. Reflectors do the rest; this is what makes up for anything that was lost on the way. */
import { id } from '../../../core/fields.ts';
import { job } from '../../../core/sources.ts';
import { getActivePeers } from '../events/sync/queries.ts';
import { fetchesNow } from '../reconcile/fetch.ts';
import { openingRequest } from '../reconcile/round.ts';

export const syncJob = job(
  { description: 'Starts a round of sync with every connected peer.', params: { network_id: id() } },
  (query, params, ctx) => {
    // A peer from whom much is being fetched is compared with when that has come.
    const busy = new Set(fetchesNow(query, ctx.now_ms).map((fetch) => fetch.session_id));
    return query(getActivePeers, { network_id: params.network_id })
      .filter((peer) => !busy.has(peer.session_id))
      .map((peer) =>
        openingRequest(query, ctx.now_ms, { session_id: peer.session_id, device_id: peer.peer_id }),
      );
  },
);
