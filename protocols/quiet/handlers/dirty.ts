/**
 * What a valid event with effect `dirty` does: a group key that is held here has sealed something that was deleted, although it could not be
 * seen here (a wrap that lost, or came late, or never came).
 */
import type { Id } from '../../../core/fields.ts';
import { handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { keyNumberOf, makeDirty } from './wraps.ts';

export const dirty = handler({
  name: 'dirty',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'dirty',
  process: (envelope, context) => {
    const { key_id } = envelope.event.body as unknown as { readonly key_id: Id };
    const n = keyNumberOf(context, envelope.identity, key_id);
    if (n !== null) makeDirty(context, n);
    return advance(envelope);
  },
});
