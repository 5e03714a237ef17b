import { projector, upsert } from '../../../../core/sources.ts';
import { synced } from './schema.ts';

export const projectSynced = projector(synced, {
  project: (_query, event) => {
    const { device_id, through_n } = event.body;
    const at_ms = event.created_ms;
    return [
      upsert('synced', ['identity'], { at_ms }),
      upsert('synced_with', ['identity', 'device'], { device: device_id, through_n, at_ms }),
    ];
  },
});
