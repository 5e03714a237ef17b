/** How a removal is written: with the heads this node knows, and the removals it knew of. */
import { type EventDraft, event } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { getGroupsToClose, getRemovalsOf } from '../events/remove/queries.ts';
import { remove } from '../events/remove/schema.ts';
import { getRightsToClose } from '../events/revoke/queries.ts';
import { revoke } from '../events/revoke/schema.ts';
import { headsOf } from './heads.ts';

export function removalDraft(
  query: Query,
  who: { readonly user_id: Id; readonly device_id: Id | null },
  group_id: Id | null,
  why: { readonly basis_id: Id | null; readonly because_id: Id | null },
): EventDraft {
  // What only follows a removal from the network tells what its author has seen; others may have seen more.
  const known_ids =
    why.because_id === null
      ? query(getRemovalsOf, { user_id: who.user_id, group_id }).map((one) => one.removal_id)
      : [];
  const body = {
    user_id: who.user_id,
    whole_user: who.device_id === null,
    ...headsOf(query, who, group_id),
    ...why,
    known_ids,
  };
  return event(remove, body, { group_id });
}

/** Closings of each kind written at a time. */
const CLOSED_MAX = 100;

/** What removals from the network and revocations lead to in the private groups of this device: where the devices' chains end there. */
export function closings(query: Query): EventDraft[] {
  const removals = query(getGroupsToClose, { limit: CLOSED_MAX }).map(
    ({ group_id, user_id, device_id, removal_id }) =>
      removalDraft(query, { user_id, device_id }, group_id, { basis_id: null, because_id: removal_id }),
  );
  const revocations = query(getRightsToClose, { limit: CLOSED_MAX }).map(
    ({ group_id, grant_id, user_id, revocation_id }) => {
      const heads = headsOf(query, { user_id, device_id: null }, group_id, grant_id);
      return event(revoke, { grant_id, ...heads, basis_id: null, because_id: revocation_id }, { group_id });
    },
  );
  return [...removals, ...revocations];
}
