import { insert, projector } from 'sotto';
import { task } from './schema.ts';

export const projectTask = projector(task, {
  rules: { is_due_after_it_was_made: (_query, event) => event.body.due_ms >= event.created_ms },
  project: (_query, event) => [insert('task', { channel: event.body.channel_id, due_ms: event.body.due_ms })],
});
