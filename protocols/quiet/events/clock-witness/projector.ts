import { projector, upsert } from '../../../../core/sources.ts';
import { clockWitness } from './schema.ts';

export const projectClockWitness = projector(clockWitness, {
  project: (_query, event, ctx) => [
    upsert('clock_witness', ['identity', 'user_id'], {
      user_id: event.body.user_id,
      offset_ms: event.body.offset_ms,
      seen_ms: ctx.now_ms,
    }),
  ],
});
