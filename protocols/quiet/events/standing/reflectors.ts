import { reflector } from '../../../../core/sources.ts';
import { closings } from '../../rules/removal.ts';
import { standing } from './schema.ts';

/** What the job `close_groups` does, at once, where somebody was removed by this very device. */
export const reflectStandingClosed = reflector(standing, (query, _event, ctx) =>
  ctx.from === 'here' ? closings(query) : [],
);
