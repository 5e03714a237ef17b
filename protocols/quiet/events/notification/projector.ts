import { insertOnce, projector } from '../../../../core/sources.ts';
import { notification } from './schema.ts';

export const projectNotification = projector(notification, {
  project: (_query, event, ctx) => [
    insertOnce('notification', {
      event: event.body.event_id,
      about: event.body.about_id,
      noticed_ms: ctx.now_ms,
    }),
  ],
});
