import { instruct, reflector } from 'sotto';
import { nudge } from '../nudge/schema.ts';
import { taskDone } from './schema.ts';

/** Somebody else has done a task: tell the user. Runs because the event became valid, here or by way of a peer. */
export const reflectTaskDone = reflector(taskDone, (_query, event, ctx) =>
  ctx.from === 'network' ? [instruct(nudge, { task_id: event.body.task_id })] : [],
);
