import { reflector } from '../../../../core/sources.ts';
import { saidDirty } from '../../rules/dirt.ts';
import { deleteMessage } from './schema.ts';

/** Who deletes something says at once which keys are dirty by it, so that nobody hears of the one without the other. */
export const reflectDeletedKeys = reflector(deleteMessage, (query, _deletion, ctx) =>
  ctx.from === 'here' ? saidDirty(query, ctx.now_ms, () => true) : [],
);
