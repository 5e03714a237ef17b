import { NEVER_MS } from '../../../../core/limits.ts';
import { projector } from '../../../../core/sources.ts';
import { getNetworkCreator } from '../network/queries.ts';
import { getUserOfDevice } from '../user/queries.ts';
import { deleteMessage } from './schema.ts';

/** How long a deletion outlives its target: peers may be behind by their clocks and by their connections. */
export const OUTLIVES_MS = 86_400_000;

export const projectDeleteMessage = projector(deleteMessage, {
  rules: {
    target_is_a_message: (_query, event) => event.target?.type === 'message',
    /** The author's user (any device of it), or the founder of the network. */
    author_may_delete: (query, event) => {
      if (event.target === null) return false;
      const userOf = (device_id: string) => query(getUserOfDevice, { device_id })[0]?.user_id;
      const deleter = userOf(event.author);
      const creator = query(getNetworkCreator)[0];
      return (
        deleter !== undefined &&
        (deleter === userOf(event.target.author) ||
          (creator !== undefined && deleter === userOf(creator.device_id)))
      );
    },
    outlives_its_target: (_query, event) =>
      event.target !== null && event.expires_ms >= Math.min(NEVER_MS, event.target.expires_ms + OUTLIVES_MS),
  },
  project: () => [],
});
