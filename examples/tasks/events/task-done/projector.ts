import { insert, projector } from 'sotto';
import { taskDone } from './schema.ts';

export const projectTaskDone = projector(taskDone, {
  project: (_query, event) => [insert('task_done', { task: event.body.task_id })],
});
