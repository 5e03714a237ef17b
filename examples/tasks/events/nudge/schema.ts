/** A note to this node's user: a task is overdue, or somebody has done it. Local: it never leaves the node. */
import { eventType, id } from 'sotto';

export const nudge = eventType({
  name: 'nudge',
  class: 'local',
  description: 'Tells the user of this node about a task.',
  body: { task_id: id() },
});
