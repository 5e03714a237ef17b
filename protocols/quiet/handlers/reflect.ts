/**
 * Runs the reflectors of an event's type, because it became valid. What they return goes through the pipeline from its beginning. A reflector
 * that fails does not take the event down with it: the failure is recorded, and what it would have done is owed by state, which jobs heal.
 */
import { isStorageFault } from '../../../core/db.ts';
import { everyEvent } from '../../../core/event-type.ts';
import { handler } from '../../../core/handler.ts';
import { advance, type Follow } from '../../../core/outcome.ts';

export const reflect = handler({
  name: 'reflect',
  takes: 'valid',
  gives: ['valid'],
  process: (envelope, context) => {
    const { event, origin } = envelope;
    const follows: Follow[] = [];
    const session =
      origin.from === 'network' && origin.session_id !== ''
        ? { session_id: origin.session_id, device_id: origin.device_id }
        : null;
    const { reflectors } = context.protocol;
    const any = envelope.raw === null ? [] : (reflectors.get(everyEvent) ?? []);
    for (const registered of [...(reflectors.get(envelope.type) ?? []), ...any]) {
      try {
        const emitted = context.pure.reflector(registered, event, context.scope(envelope.identity), {
          from: origin.from,
          session,
        });
        const by = { name: registered.name, event_id: event.event_id === '' ? null : event.event_id };
        for (const draft of emitted) follows.push({ emitted: draft, by });
      } catch (thrown) {
        if (isStorageFault(thrown)) throw thrown;
        context.failed(registered.name, thrown);
      }
    }
    return advance(envelope, { follows });
  },
});
