/**
 * Goes on with what stood for want of this event's header: a removed device's chain, or the judgement of the facts. For every event that has been
 * verified, also where it was taken up again: while it was on its way, it was in no table.
 */
import type { AnyEnvelope, Header } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance, duplicate, type Follow } from '../../../core/outcome.ts';
import { fillGap, keepHeader } from './chain.ts';
import { isAwaited, judgement } from './judge.ts';
import { rowNumberOf } from './store.ts';

export const prove = handler({
  name: 'prove',
  takes: 'verified',
  gives: ['verified'],
  process: (envelope, context) => {
    const { identity, event_id, header } = envelope;
    // It was taken up again, and on its way an edit or a deletion of it came first.
    if (rowNumberOf(context, identity, event_id) !== null) return duplicate;
    // Nothing of it may stay (an edit of something deleted, say); the judgement needs the header all the same.
    if (isAwaited(context, identity, event_id)) keepHeader(context, identity, event_id, envelope.raw);
    return advance(envelope, { follows: provedBy(envelope, event_id, header, context) });
  },
});

/** What goes on because the header of an event is here: it itself, or as a deletion or an edit of it brought it. */
export function provedBy(
  envelope: Pick<AnyEnvelope, 'identity' | 'cause' | 'depth' | 'origin'>,
  event_id: Id,
  header: Header,
  context: HandlerContext,
): Follow[] {
  const follows: Follow[] = fillGap(context, envelope.identity, event_id, header).map((waited) => ({
    envelope: waited,
  }));
  return isAwaited(context, envelope.identity, event_id)
    ? [...follows, ...judgement(envelope, context)]
    : follows;
}
