/** How a removal is written: with the heads this node knows, and the removals it knew of. */
import { type EventDraft, event } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { getGroupsToClose, getRemovalsOf } from '../events/remove/queries.ts';
import { remove } from '../events/remove/schema.ts';
import { headsOf } from './heads.ts';

export function removalDraft(
  query: Query,
  who: { readonly user_id: Id; readonly device_id: Id | null },
  group_id: Id | null,
  why: { readonly basis_id: Id | null; readonly because_id: Id | null },
): EventDraft {
  const known_ids = query(getRemovalsOf, { user_id: who.user_id, group_id }).map((one) => one.removal_id);
  const body = {
    user_id: who.user_id,
    whole_user: who.device_id === null,
    ...headsOf(query, who, group_id),
    ...why,
    known_ids,
  };
  return event(remove, body, { group_id });
}

/** Removals written at a time. */
export const CLOSED_MAX = 100;

/** Removals that follow one from the network in the private groups of this device. */
export function closingRemovals(query: Query): EventDraft[] {
  return query(getGroupsToClose, { limit: CLOSED_MAX }).map(({ group_id, user_id, device_id, removal_id }) =>
    removalDraft(query, { user_id, device_id }, group_id, { basis_id: null, because_id: removal_id }),
  );
}
