/** A task is done. Goes when the task goes. */
import { diesWith, eventType } from 'sotto';

export const taskDone = eventType({
  name: 'task-done',
  class: 'public',
  description: 'A task is done.',
  body: { task_id: diesWith() },
});
