/**
 * Takes up again, in the same transaction, what waited for the event that has just become valid, or for the devices it let in.
 */
import type { Cause, VerifiedEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { isFact } from './store.ts';
import { takeOut, takeReleasedBy } from './waiting.ts';

/** Devices that something waits for and that have been let in by now. */
const LET_IN = `
  SELECT DISTINCT f.missing AS device FROM waiting w JOIN waiting_for f ON f.waiting = w.n
    JOIN member_device m ON m.identity = w.identity AND m.device = f.missing
  WHERE w.identity = :identity AND w.rule = 'author_not_a_member'`;

/** Events whose author has been put into their group by now. */
const IN_GROUP = `
  SELECT w.n FROM waiting w JOIN group_device g ON g.identity = w.identity AND g.group_id = w.group_id AND g.device = w.author
  WHERE w.identity = :identity AND w.rule = 'author_not_in_group' ORDER BY w.id`;

export const release = handler({
  name: 'release',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.raw !== null,
  process: (envelope, context) => {
    const { identity, event, type } = envelope;
    const cause: Cause = { kind: 'reflector', name: 'release', event_id: event.event_id };
    const released = takeReleasedBy(context, identity, event.event_id, cause);
    if (isFact(type)) released.push(...takeLetIn(context, identity, cause));
    return advance(envelope, { follows: released.map((waited) => ({ envelope: waited })) });
  },
});

function takeLetIn(context: HandlerContext, identity: number, cause: Cause): VerifiedEnvelope[] {
  const released: VerifiedEnvelope[] = [];
  for (const { device } of context.statement(LET_IN).all({ identity }))
    released.push(...takeReleasedBy(context, identity, (device as Uint8Array).toHex(), cause));
  for (const { n } of context.statement(IN_GROUP).all({ identity }))
    released.push(takeOut(context, n as number, cause));
  return released;
}
