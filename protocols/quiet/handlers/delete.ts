/**
 * What a valid deletion does (types with effect `delete`): its target dies, and with it everything that hangs on it.
 */
import { assert } from '../../../core/assert.ts';
import { decodeHeader } from '../../../core/event-codec.ts';
import type { Id } from '../../../core/fields.ts';
import { handler } from '../../../core/handler.ts';
import { type AfterCommit, advance, type Follow } from '../../../core/outcome.ts';
import { kill, withDependents } from './kill.ts';
import { provedBy } from './prove.ts';
import { audienceOf, insertEvent, rowNumberOf } from './store.ts';
import { drop, takeReleasedBy, waitingNumberOf } from './waiting.ts';

export const deleteEvents = handler({
  name: 'delete',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'delete',
  process: (envelope, context) => {
    const { identity, event } = envelope;
    const { target } = event;
    assert(target !== null, 'a valid deletion has a target');
    const after: AfterCommit[] = [];
    const follows: Follow[] = [];
    // What waited for something that is now dead has waited long enough: it is judged, and dies with it.
    const release = (event_id: Id) => {
      for (const waited of takeReleasedBy(context, identity, event_id, envelope.cause))
        follows.push({ envelope: waited });
    };
    const n = rowNumberOf(context, identity, target.event_id);
    if (n === null) {
      const body = event.body as Readonly<Record<string, unknown>>;
      const header = Uint8Array.fromHex(body.target_header as string);
      const signature = Uint8Array.fromHex(body.target_signature as string);
      const decoded = decodeHeader(header);
      insertEvent(
        context,
        identity,
        target.event_id,
        decoded,
        { header, signature, body: null },
        { type: target.type ?? 'sealed', audience: audienceOf(decoded, false, target.event_id) },
      );
      const waiting = waitingNumberOf(context, identity, target.event_id);
      if (waiting !== null) drop(context, waiting);
      release(target.event_id);
      follows.push(...provedBy(envelope, target.event_id, decoded, context));
      return advance(envelope, { after, follows });
    }
    for (const dead of withDependents(n, context)) {
      const died = kill(dead, context, identity);
      if (died === null) continue;
      after.push(died.after);
      release(died.event_id);
    }
    return advance(envelope, { after, follows });
  },
});
