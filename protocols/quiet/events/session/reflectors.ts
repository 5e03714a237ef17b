import { reflector } from '../../../../core/sources.ts';
import { openingRequest } from '../../reconcile/round.ts';
import { session } from './schema.ts';

/** A peer is there again: catch up with it now, without waiting for the job. */
export const reflectSessionOpened = reflector(session, (query, event, ctx) =>
  event.body.state === 'opened' ? [openingRequest(query, ctx.now_ms, event.body)] : [],
);
