import { projector, remove, upsert } from '../../../../core/sources.ts';
import { getFetch } from './queries.ts';
import { fetching } from './schema.ts';

export const projectFetching = projector(fetching, {
  project: (query, event) => {
    const { session_id, left, lowers, uppers, oldest_first } = event.body;
    if (lowers.length === 0) return [remove('fetch', { session_id })];
    const known = query(getFetch, { session_id })[0];
    return [
      upsert('fetch', ['identity', 'session_id'], {
        session_id,
        ranges: JSON.stringify(lowers.map((lower, at) => [lower, uppers[at]])),
        oldest_first,
        begun_at: known?.begun_at ?? (oldest_first ? lowers[0] : uppers.at(-1)),
        progress: known?.progress ?? event.body.progress,
        left_n: left,
        begun_ms: known?.begun_ms ?? event.created_ms,
        begun_n: Math.max(known?.begun_n ?? 0, left),
        at_ms: event.created_ms,
      }),
    ];
  },
});
