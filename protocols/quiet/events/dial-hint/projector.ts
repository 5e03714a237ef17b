import { insertOnce, projector } from '../../../../core/sources.ts';
import { dialHint } from './schema.ts';

export const projectDialHint = projector(dialHint, {
  project: (_query, event) => [
    insertOnce('dial_hint', { device: event.body.device_id, address: event.body.address }),
  ],
});
