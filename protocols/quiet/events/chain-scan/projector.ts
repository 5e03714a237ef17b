import { insertOnce, projector, remove, upsert } from '../../../../core/sources.ts';
import { chainScan } from './schema.ts';

export const projectChainScan = projector(chainScan, {
  project: (_query, event) => [
    upsert('chain_scan', ['identity'], { through_n: event.body.through_n }),
    ...event.body.missing.map((id) => insertOnce('missing_link', { id })),
    ...event.body.found.map((id) => remove('missing_link', { id })),
  ],
});
