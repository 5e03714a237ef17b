/**
 * After facts (who belongs, who may what, who no longer does): all facts are judged together anew. The instruction it emits is found by its
 * effect; its projector writes `cut` and `right_cut`, and `standing` below applies the difference.
 */
import { type AnyEnvelope, instruct as draftOf, type Identity } from '../../../core/envelope.ts';
import type { EventType } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { advance, type Follow } from '../../../core/outcome.ts';
import { isFact } from './store.ts';

export const judge = handler({
  name: 'judge',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.raw !== null && isFact(envelope.type),
  process: (envelope, context) => advance(envelope, { follows: judgement(envelope, context) }),
});

/** The instruction to judge all facts anew, because of an envelope. */
export function judgement(
  { identity, cause, depth, origin }: Pick<AnyEnvelope, 'identity' | 'cause' | 'depth' | 'origin'>,
  context: HandlerContext,
): Follow[] {
  return [...context.protocol.types.values()]
    .filter(({ value }) => value.effect === 'standing')
    .map(({ value }) => ({
      envelope: {
        stage: 'instruction' as const,
        draft: draftOf(value as EventType<string, never>, {} as never),
        identity,
        cause,
        depth,
        origin,
      },
      // Once for a whole frame: judging is the same for one fact or a thousand.
      once: `standing of ${identity}`,
    }));
}

/** Whether the judgement stood for want of this event's header. */
export function isAwaited(context: HandlerContext, identity: Identity, event_id: Id): boolean {
  const row = context
    .statement('SELECT 1 AS found FROM judgement_gap WHERE identity = :identity AND missing = :missing')
    .get({ identity, missing: Uint8Array.fromHex(event_id) });
  return row !== undefined;
}
