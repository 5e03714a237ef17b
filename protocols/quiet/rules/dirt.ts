/** Tells the others which keys are dirty: those who did not see it are to erase them, too. */
import { type EventDraft, event } from '../../../core/envelope.ts';
import { NEVER_MS } from '../../../core/limits.ts';
import type { Query } from '../../../core/query.ts';
import { keyDirty } from '../events/key-dirty/schema.ts';
import { getUnsaidDirtyKeys } from '../events/rekey/queries.ts';

const AT_ONCE = 100;

export function saidDirty(
  query: Query,
  now_ms: number,
  is_due: (key: { readonly turn: number; readonly dirty_ms: number }) => boolean,
): EventDraft[] {
  return query(getUnsaidDirtyKeys, { limit: AT_ONCE })
    .filter(is_due)
    .map(({ key_id, group_id, expires_ms }) =>
      event(keyDirty, { key_id }, { group_id, ttl_ms: expires_ms === NEVER_MS ? 0 : expires_ms - now_ms }),
    );
}
