/** Nudges about tasks that are overdue. Runs because time passed; what it returns goes through the same pipeline as everything else. */
import { instruct, integer, job } from 'sotto';
import { nudge } from '../events/nudge/schema.ts';
import { getOverdueTasks } from '../events/task/queries.ts';

export const nudgeJob = job(
  { description: 'Nudges about overdue tasks.', params: { batch: integer(1, 1000) }, for_each: 'network' },
  (query, params) =>
    query(getOverdueTasks, { limit: params.batch }).map((task) => instruct(nudge, { task_id: task.task_id })),
);
