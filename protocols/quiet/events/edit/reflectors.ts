import { reflector } from '../../../../core/sources.ts';
import { saidDirty } from '../../rules/dirt.ts';
import { edit } from './schema.ts';

/** As with a deletion: the old words are deleted. */
export const reflectEditedKeys = reflector(edit, (query, _edit, ctx) =>
  ctx.from === 'here' ? saidDirty(query, ctx.now_ms, () => true) : [],
);
