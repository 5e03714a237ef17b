import { insert, projector } from '../../../../core/sources.ts';
import { keyDirty } from './schema.ts';

export const projectKeyDirty = projector(keyDirty, {
  project: (_query, event) => [insert('dirty_key', { key_id: event.body.key_id })],
});
