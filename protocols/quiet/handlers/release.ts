/**
 * Takes up again, in the same transaction, what waited for the event that has just become valid or for the devices it made members.
 */
import type { Cause } from '../../../core/envelope.ts';
import { handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { takeReleasedBy } from './waiting.ts';

export const release = handler({
  name: 'release',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { identity, event, type } = envelope;
    const cause: Cause = { kind: 'reflector', name: 'release', event_id: event.event_id };
    const released = takeReleasedBy(context, identity, event.event_id, cause);
    if (type.effect === 'membership') {
      const authors = context
        .statement(
          `SELECT DISTINCT w.missing AS device FROM waiting_for w JOIN member_device m ON m.identity = w.identity AND m.device = w.missing
           WHERE w.identity = :identity`,
        )
        .all({ identity });
      for (const { device } of authors)
        released.push(...takeReleasedBy(context, identity, (device as Uint8Array).toHex(), cause));
    }
    return advance(envelope, { follows: released.map((waited) => ({ envelope: waited })) });
  },
});
