import { insertOnce, projector } from '../../../../core/sources.ts';
import { forgotten } from './schema.ts';

export const projectForgotten = projector(forgotten, {
  project: (_query, event) => event.body.event_ids.map((of_id) => insertOnce('forgotten_by', { of_id })),
});
