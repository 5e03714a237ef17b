/**
 * Keeps enough prekeys of this device in the world that others can give it keys while it is away. And replaces them all once a key that they may have
 * carried must be forgotten: whoever recorded how it came could open it from them.
 */
import { instruct } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { amIMember, countUsablePrekeys } from '../events/prekey/queries.ts';
import { PREKEY_USABLE_MS, PREKEYS_MIN } from '../events/prekey/schema.ts';
import { getRetirement } from '../events/purge-key/queries.ts';
import { retirePrekeys } from '../events/retire-prekeys/schema.ts';
import { newPrekeys } from '../rules/prekeys.ts';

const DAY_MS = 86_400_000;

export const prekeyReplenishmentJob = job(
  { description: 'Advertises new prekeys when few are left.', params: {}, for_each: 'network' },
  (query, _params, ctx) => {
    if (query(amIMember).length === 0) return [];
    if (query(getRetirement, { day_ms: DAY_MS })[0]?.is_due === true)
      return [instruct(retirePrekeys, {}), ...newPrekeys()];
    const usable = query(countUsablePrekeys, { until_ms: ctx.now_ms + PREKEY_USABLE_MS })[0]?.usable ?? 0;
    return usable < PREKEYS_MIN ? newPrekeys() : [];
  },
);
