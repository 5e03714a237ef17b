/** A task in a channel: something to do, by a time. */
import { content, dependsOn, eventType, time_ms } from 'sotto';

export const task = eventType({
  name: 'task',
  class: 'sealed',
  description: 'Something to do, by a time.',
  body: { channel_id: dependsOn(), what: content(1_000), due_ms: time_ms() },
});
