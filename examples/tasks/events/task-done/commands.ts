import { command, event, id } from 'sotto';
import { taskDone } from './schema.ts';

export const finishTask = command(
  { description: 'Marks a task as done.', input: { task_id: id() } },
  (_query, input) => [event(taskDone, { task_id: input.task_id })],
);
