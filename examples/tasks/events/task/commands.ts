import { command, event, id, time_ms } from 'sotto';
import { task } from './schema.ts';

export const addTask = command(
  { description: 'Adds a task.', input: { channel_id: id(), what: task.shape.what, due_ms: time_ms() } },
  (_query, input) => [event(task, input, { stream_id: input.channel_id })],
);
