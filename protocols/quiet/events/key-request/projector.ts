import { insert, projector } from '../../../../core/sources.ts';
import { keyRequest } from './schema.ts';

export const projectKeyRequest = projector(keyRequest, {
  project: (_query, event) => [insert('key_request', { key_id: event.body.key_id })],
});
