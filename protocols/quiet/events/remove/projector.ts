import type { Event } from '../../../../core/event-type.ts';
import type { Query } from '../../../../core/query.ts';
import { insert, insertOnce, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getGroup } from '../group/queries.ts';
import { speaksFor } from '../peer/queries.ts';
import { getRemoval } from './queries.ts';
import { remove } from './schema.ts';

/** Oneself (a lost device, leaving); who has the right; in a group also its creator, and anybody once the user is removed from the network. */
function isEntitled(query: Query, event: Event<typeof remove.shape>): boolean {
  const { user_id, basis_id, because_id } = event.body;
  if (query(speaksFor, { device_id: event.author, user_id }).length > 0) return true;
  if (event.group_id !== null && event.group_id !== event.network_id) {
    if (because_id !== null) {
      const removal = query(getRemoval, { removal_id: because_id })[0];
      return removal !== undefined && removal.user_id === user_id && removal.group_id === null;
    }
    const group = query(getGroup, { group_id: event.group_id })[0];
    // A direct conversation has fixed members, whoever began it.
    if (group?.kind === 'direct') return false;
    if (
      group !== undefined &&
      query(speaksFor, { device_id: event.author, user_id: group.creator_id }).length > 0
    )
      return true;
  }
  return mayActBy(query, event.author, basis_id, 'admin');
}

export const projectRemove = projector(remove, {
  rules: {
    author_may_remove: isEntitled,
    one_head_per_device: (_query, event) =>
      event.body.device_ids.length === event.body.head_seqs.length &&
      event.body.device_ids.length === event.body.head_ids.length,
    removes_somebody: (_query, event) => event.body.whole_user || event.body.device_ids.length > 0,
    because_is_for_groups: (_query, event) => event.body.because_id === null || event.group_id !== null,
  },
  project: (_query, event) => {
    const { user_id, whole_user, device_ids, head_seqs, head_ids, basis_id, because_id, known_ids } =
      event.body;
    return [
      insert('removal', { user: user_id, whole_user, basis: basis_id, because: because_id }),
      ...device_ids.map((device, at) =>
        insertOnce('removal_head', { device, seq: head_seqs[at] ?? 0, head: head_ids[at] }),
      ),
      ...known_ids.map((known) => insertOnce('removal_known', { known })),
    ];
  },
});
