/** Keeps enough prekeys of this device in the world that others can give it keys while it is away. */
import { job } from '../../../core/sources.ts';
import { amIMember, countUsablePrekeys } from '../events/prekey/queries.ts';
import { PREKEY_USABLE_MS, PREKEYS_MIN } from '../events/prekey/schema.ts';
import { newPrekeys } from '../rules/prekeys.ts';

export const prekeyReplenishmentJob = job(
  { description: 'Advertises new prekeys when few are left.', params: {}, for_each: 'network' },
  (query, _params, ctx) => {
    if (query(amIMember).length === 0) return [];
    const usable = query(countUsablePrekeys, { until_ms: ctx.now_ms + PREKEY_USABLE_MS })[0]?.usable ?? 0;
    return usable < PREKEYS_MIN ? newPrekeys() : [];
  },
);
