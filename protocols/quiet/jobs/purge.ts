/**
 * The last stage of forgetting: proposes to erase the keys that nothing needs any more. The handler asks again, in the transaction that zeroes them.
 */
import { event, instruct } from '../../../core/envelope.ts';
import { integer } from '../../../core/fields.ts';
import { job } from '../../../core/sources.ts';
import { getUnsaidForgotten } from '../events/delete-message/queries.ts';
import { FORGOTTEN_MAX, FORGOTTEN_TTL_MS, forgotten } from '../events/forgotten/schema.ts';
import { PREKEY_TTL_MS } from '../events/prekey/schema.ts';
import { getUnusedKeysMarkedForPurge } from '../events/purge-key/queries.ts';
import { purgeKey } from '../events/purge-key/schema.ts';

const HOUR_MS = 3_600_000;
/** So long after a deletion nothing is said of it: that a key is dirty may still be on its way. */
const HEARD_OF_MS = 10 * 60_000;
const BATCH = 64;

export const purgeUnusedKeysJob = job(
  {
    description: 'Erases keys that nothing needs any more.',
    params: {
      /** How long a key stays after something under it was deleted: for what is still on its way. */
      grace_ms: integer().default(HOUR_MS),
    },
    for_each: 'network',
    batch: BATCH,
    destructive: true,
  },
  (query, { grace_ms }, ctx) => {
    const purged = query(getUnusedKeysMarkedForPurge, {
      grace_ms,
      prekey_ttl_ms: PREKEY_TTL_MS,
      limit: BATCH,
    }).map(({ kind, key_id }) =>
      instruct(purgeKey, { kind: kind === 'prekey' ? 'prekey' : 'group_key', key_id, secure_delete: true }),
    );
    // Others are told what this device has forgotten, so that they can say of a deletion how far it has come.
    const by_group = Map.groupBy(
      query(getUnsaidForgotten, {
        since_ms: Math.max(0, ctx.now_ms - FORGOTTEN_TTL_MS),
        until_ms: ctx.now_ms - HEARD_OF_MS,
        limit: FORGOTTEN_MAX,
      }),
      (row) => row.group_id,
    );
    const told = [...by_group].map(([group_id, rows]) => {
      const event_ids = rows.map((row) => row.message_id);
      return event(forgotten, { event_ids }, { group_id, ttl_ms: FORGOTTEN_TTL_MS });
    });
    return [...purged, ...told];
  },
);
