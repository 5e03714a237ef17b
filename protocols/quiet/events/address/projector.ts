import { insert, projector } from '../../../../core/sources.ts';
import { address } from './schema.ts';

export const projectAddress = projector(address, {
  project: (_query, event) => [insert('address', { address: event.body.address })],
});
