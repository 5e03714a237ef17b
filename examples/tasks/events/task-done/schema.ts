/** A task is done. Goes when the task goes. */
import { dependsOn, eventType } from 'sotto';

export const taskDone = eventType({
  name: 'task-done',
  class: 'sealed',
  description: 'A task is done.',
  body: { task_id: dependsOn() },
});
