/** The `key` events that give devices the keys they are owed. */
import { type EventDraft, event, sealedKey } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { NEVER_MS } from '../../../core/limits.ts';
import type { Query } from '../../../core/query.ts';
import { getOwedKeys } from '../events/key/queries.ts';
import { key } from '../events/key/schema.ts';

/** Given at a time: a batch of the job, or what a newcomer gets at once; the job goes on with the rest. */
export const DELIVERIES_MAX = 500;

export function deliveries(
  query: Query,
  now_ms: number,
  of: { readonly device_id: Id | null; readonly key_id: Id | null },
  is_due: (owed: { readonly turn: number; readonly owed_since_ms: number }) => boolean = () => true,
): EventDraft[] {
  return query(getOwedKeys, { ...of, limit: DELIVERIES_MAX })
    .filter(is_due)
    .map(({ key_id, device_id, prekey, group_id, channel_id, key_expires_ms }) =>
      event(
        key,
        { key_id, device_id, prekey, channel_id, key_expires_ms, sealed: sealedKey(key_id, prekey) },
        { group_id, ttl_ms: key_expires_ms === NEVER_MS ? 0 : key_expires_ms - now_ms },
      ),
    );
}
