import { insertOnce, projector, remove } from '../../../../core/sources.ts';
import { session } from './schema.ts';

export const projectSession = projector(session, {
  project: (_query, event, ctx) =>
    event.body.state === 'opened'
      ? [
          insertOnce('session', {
            session_id: event.body.session_id,
            device: event.body.device_id,
            opened_ms: ctx.now_ms,
          }),
        ]
      : [
          remove('session', { session_id: event.body.session_id }),
          // What was being fetched through it is to be asked for again.
          remove('fetch', { session_id: event.body.session_id }),
        ],
});
