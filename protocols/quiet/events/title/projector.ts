import { insert, projector } from '../../../../core/sources.ts';
import { title } from './schema.ts';

export const projectTitle = projector(title, {
  rules: { names_its_network: (_query, event) => event.body.of_id === event.network_id },
  project: (_query, event) => [insert('title', { of_id: event.body.of_id })],
});
