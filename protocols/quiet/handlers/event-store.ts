/**
 * Stores a valid event under its id, once, with its wraps, what it hangs on, and what it is aimed at.
 */
import { assert } from '../../../core/assert.ts';
import type { ValidEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { heldKey } from './group-keys.ts';
import { isOpaque } from './open.ts';
import { audienceOf, insertEvent, rowNumberOf } from './store.ts';
import { addWrap, markReplaced } from './wraps.ts';

export const eventStore = handler({
  name: 'event-store',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { identity, event, header, raw, type } = envelope;
    assert(raw !== null && header !== null, 'a stored event has a header and a body');
    const audience = audienceOf(header, type.effect === 'group', event.event_id);
    const n = insertEvent(context, identity, event.event_id, header, raw, {
      type: event.type,
      audience,
      opaque: isOpaque(type),
    });
    storeWraps(envelope, n, context);
    storeEdges(envelope, n, context);
    if (event.target !== null)
      context
        .statement('INSERT INTO aimed_at (event, target) VALUES (:n, :target)')
        .run({ n, target: Uint8Array.fromHex(event.target.event_id) });
    return advance(envelope, {
      after: [{ effect: 'changed', identity, type: event.type, event_id: event.event_id }],
    });
  },
});

function storeWraps({ identity, raw }: ValidEnvelope, n: number, context: HandlerContext): void {
  for (const { key_id, sealed } of raw?.wraps ?? []) {
    const key = heldKey(context, identity, key_id);
    assert(key !== null, 'a wrap that was opened is under a key that is held');
    addWrap(context, n, key.n, sealed);
  }
  if ((raw?.wraps.length ?? 0) > 1) markReplaced(context, n);
}

/** From what the event names to the event: a removal, a deletion, a withdrawal follows these. */
export function storeEdges(
  { identity, event, type }: Pick<ValidEnvelope, 'identity' | 'event' | 'type'>,
  n: number,
  context: HandlerContext,
): void {
  for (const field of type.dependency_fields) {
    const value = (event.body as Readonly<Record<string, unknown>>)[field];
    for (const target of Array.isArray(value) ? value : [value]) {
      if (typeof target !== 'string') continue;
      const target_n = rowNumberOf(context, identity, target);
      if (target_n !== null)
        context
          .statement('INSERT INTO depends_on (target, event) VALUES (:target_n, :n) ON CONFLICT DO NOTHING')
          .run({ target_n, n });
    }
  }
}
