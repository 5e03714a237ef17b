import { NEVER_MS } from '../../../../core/limits.ts';
import { projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { deleteMessage } from './schema.ts';

/** How long a deletion outlives its target: peers may be behind by their clocks and by their connections. */
export const OUTLIVES_MS = 86_400_000;

export const projectDeleteMessage = projector(deleteMessage, {
  rules: {
    /** Whatever is sealed, but for deletions and edits: a deletion of a deletion would bring its target back. Keys and members are not sealed. */
    target_can_be_deleted: (_query, event) => event.target?.type === null && !event.target.has_target,
    /** The author's user (any device of it), or somebody with the right. */
    author_may_delete: (query, event) => {
      if (event.target === null) return false;
      const userOf = (device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;
      const deleter = userOf(event.author);
      if (deleter !== undefined && deleter === userOf(event.target.author)) return true;
      return mayActBy(query, event.author, event.body.basis_id, 'delete');
    },
    outlives_its_target: (_query, event) =>
      event.target !== null && event.expires_ms >= Math.min(NEVER_MS, event.target.expires_ms + OUTLIVES_MS),
  },
  project: () => [],
});
