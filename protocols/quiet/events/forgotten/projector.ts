import { insert, projector } from '../../../../core/sources.ts';
import { forgotten } from './schema.ts';

export const projectForgotten = projector(forgotten, {
  project: (_query, event) => [insert('forgotten_by', { key_id: event.body.key_id })],
});
