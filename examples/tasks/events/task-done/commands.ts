import { command, event, id, refuse } from 'sotto';
import { getTask } from '../task/queries.ts';
import { taskDone } from './schema.ts';

export const finishTask = command(
  { description: 'Marks a task as done.', input: { task_id: id() } },
  (query, input) => {
    const task = query(getTask, { task_id: input.task_id })[0];
    if (task === undefined) throw refuse('not_found', 'There is no such task here.');
    return [event(taskDone, { task_id: input.task_id }, { stream_id: task.channel_id })];
  },
);
