import { id, integer, query, text } from 'sotto';

/** Tasks of this device that are due, not done, and not nudged about yet. */
export const getOverdueTasks = query({
  description: 'Tasks of this device that are due, not done, and not nudged about.',
  params: { limit: integer(1, 1000) },
  row: { task_id: id(), due_ms: integer() },
  sql: `
    SELECT e.id AS task_id, t.due_ms FROM task t JOIN live_event e ON e.n = t.event JOIN identity i ON i.identity = e.identity
    WHERE e.identity = :identity AND e.author = i.device AND t.due_ms <= :now_ms
      AND NOT EXISTS (SELECT 1 FROM task_done d WHERE d.task = t.event) AND NOT EXISTS (SELECT 1 FROM nudge n WHERE n.event = t.event)
    ORDER BY t.due_ms, e.id LIMIT :limit`,
});

/** All tasks with their text, for people. */
export const getTasks = query({
  description: 'All tasks, soonest due first.',
  params: {},
  row: { task_id: id(), what: text(1_000), due_ms: integer(), done: integer(), nudged: integer() },
  sql: `
    SELECT e.id AS task_id, content('what', e.body) AS what, t.due_ms,
      (SELECT count(*) FROM task_done d WHERE d.task = t.event) AS done, (SELECT count(*) FROM nudge n WHERE n.event = t.event) AS nudged
    FROM task t JOIN live_event e ON e.n = t.event WHERE e.identity = :identity ORDER BY t.due_ms, e.id`,
});

/** A task, to say something about it in its channel. */
export const getTask = query({
  description: 'The channel of a task.',
  params: { task_id: id() },
  row: { channel_id: id() },
  sql: `
    SELECT c.id AS channel_id FROM task t JOIN live_event e ON e.n = t.event JOIN event c ON c.n = t.channel
    WHERE e.identity = :identity AND e.id = :task_id`,
});
