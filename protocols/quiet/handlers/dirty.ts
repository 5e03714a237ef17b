/**
 * What a valid event with effect `dirty` does: a group key that is held here has sealed something that was deleted, although it could not be
 * seen here (a wrap that lost, or came late, or never came).
 */
import type { Identity } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { drop } from './waiting.ts';
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
    dropHopeless(context, envelope.identity, key_id);
    return advance(envelope);
  },
});

/**
 * Nobody is given a dirty key any more: what waits for such keys alone waits in vain. It is asked for again where it still lives, and comes under a clean
 * key then; where it does not, nothing of it stays here.
 */
function dropHopeless(context: HandlerContext, identity: Identity, key_id: Id): void {
  const hopeless = context
    .statement(
      `SELECT DISTINCT w.n FROM waiting_wrap v JOIN waiting w ON w.n = v.waiting
       WHERE v.key_id = :key_id AND w.identity = :identity AND w.rule = 'key_missing'
         AND NOT EXISTS (SELECT 1 FROM waiting_wrap o WHERE o.waiting = w.n
           AND o.key_id NOT IN (SELECT d.key_id FROM dirty_key d JOIN event e ON e.n = d.event WHERE e.identity = :identity))`,
    )
    .all({ identity, key_id: Uint8Array.fromHex(key_id) });
  for (const { n } of hopeless) drop(context, n as number);
}
