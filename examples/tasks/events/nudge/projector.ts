import { insertOnce, projector } from 'sotto';
import { nudge } from './schema.ts';

export const projectNudge = projector(nudge, {
  project: (_query, event, ctx) => [
    insertOnce('nudge', { event: event.body.task_id, nudged_ms: ctx.now_ms }),
  ],
});
