/**
 * Stores a valid event under its id, once, with what it hangs on.
 */
import { assert } from '../../../core/assert.ts';
import { handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { isOpaque } from './open.ts';
import { insertEvent, rowNumberOf } from './store.ts';

export const eventStore = handler({
  name: 'event-store',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { identity, event, header, raw, type } = envelope;
    assert(raw !== null && header !== null, 'a stored event has a header and a body');
    const n = insertEvent(context, identity, event.event_id, header, raw, {
      type: event.type,
      opaque: isOpaque(type),
    });
    for (const field of type.cascade_fields) {
      const target = (event.body as Readonly<Record<string, unknown>>)[field];
      if (typeof target !== 'string') continue;
      context
        .statement('INSERT INTO dies_with (target, event) VALUES (:target, :event)')
        .run({ target: rowNumberOf(context, identity, target), event: n });
    }
    return advance(envelope, {
      after: [{ effect: 'changed', identity, type: event.type, event_id: event.event_id }],
    });
  },
});
