import { projector, upsert } from '../../../../core/sources.ts';
import { synced } from './schema.ts';

export const projectSynced = projector(synced, {
  project: (_query, event) => [upsert('synced', ['identity'], { at_ms: event.created_ms })],
});
