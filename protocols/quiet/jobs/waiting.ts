/** Takes up events whose time has come. An honest clock may be a little ahead of ours: its events are held, not lost. */
import { instruct } from '../../../core/envelope.ts';
import { limits } from '../../../core/limits.ts';
import { job } from '../../../core/sources.ts';
import { getWaitingDue } from '../events/waiting/queries.ts';
import { releaseWaiting } from '../events/waiting/schema.ts';

export const releaseWaitingJob = job(
  {
    description: 'Takes up events whose time has come, and drops what has waited too long.',
    params: {},
    for_each: 'network',
    batch: 1,
  },
  (query, _params, ctx) =>
    query(getWaitingDue, { oldest_ms: Math.max(0, ctx.now_ms - limits.waiting_ms_max) }).length > 0
      ? [instruct(releaseWaiting, {})]
      : [],
);
