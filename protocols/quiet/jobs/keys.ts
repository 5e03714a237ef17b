/**
 * Makes up for every key that somebody should have and has not: who joined while everybody else was away, who lost theirs, whose prekeys had run
 * out. And asks for the keys that this device lacks.
 */
import { event } from '../../../core/envelope.ts';
import { job } from '../../../core/sources.ts';
import { countOpenRequests, getKeysToRequest } from '../events/key/queries.ts';
import { keyRequest, REQUEST_TTL_MS, REQUESTS_MAX } from '../events/key-request/schema.ts';
import { DELIVERIES_MAX, deliveries } from '../rules/deliveries.ts';

/** So long the connected device whose turn it is has for itself. */
const TURN_MS = 10 * 60_000;
/** So long a key may be on its way before it is asked for. */
const PATIENCE_MS = 60_000;
/** A key that was asked for, and given in a way that does not open, is not asked for again sooner. */
const ANSWERED_IN_VAIN_MS = 60 * 60_000;

export const shareKeysJob = job(
  {
    description: 'Gives devices the group keys they should have and have not.',
    params: {},
    for_each: 'network',
    batch: DELIVERIES_MAX,
  },
  (query, _params, ctx) =>
    deliveries(
      query,
      ctx.now_ms,
      { device_id: null, key_id: null },
      ({ turn, owed_since_ms }) => turn === 0 || owed_since_ms + TURN_MS < ctx.now_ms,
    ),
);

export const requestKeysJob = job(
  { description: 'Asks for group keys that events here have waited for.', params: {}, for_each: 'network' },
  (query, _params, ctx) => {
    const open = query(countOpenRequests)[0]?.open ?? 0;
    if (open >= REQUESTS_MAX) return [];
    return query(getKeysToRequest, {
      before_ms: ctx.now_ms - PATIENCE_MS,
      again_before_ms: ctx.now_ms - ANSWERED_IN_VAIN_MS,
      salt: ctx.random(8).toHex(),
      limit: REQUESTS_MAX - open,
    }).map(({ key_id, group_id }) => event(keyRequest, { key_id }, { group_id, ttl_ms: REQUEST_TTL_MS }));
  },
);
