/**
 * Remembers what was refused for a lasting reason, so that it is neither fetched nor judged again. Lasting is what follows from the event
 * itself, once its signature has shown that the id stands for these bytes; a quota or a damaged copy is not, nor anything about the wraps, which
 * nobody signs.
 */
import type { AnyEnvelope } from '../../../core/envelope.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { limits } from '../../../core/limits.ts';
import { dropWaitingFor } from './waiting.ts';

const PASSING = new Set([
  'waiting_quota_of_author',
  'waiting_quota_of_network',
  'died_with_its_target',
  'expired',
  'no_wrap_fits',
  'key_closed',
  'public_and_sealed',
]);

export function rememberRefused(envelope: AnyEnvelope, rule: string, context: HandlerContext): void {
  if (envelope.stage !== 'verified' && envelope.stage !== 'opened') return;
  if (envelope.origin.from !== 'network' || envelope.raw === null || PASSING.has(rule)) return;
  const event_id = envelope.stage === 'verified' ? envelope.event_id : envelope.event.event_id;
  const { identity } = envelope;
  context
    .statement(
      'INSERT INTO refused (identity, id, rule, header) VALUES (:identity, :id, :rule, :header) ON CONFLICT DO NOTHING',
    )
    .run({ identity, id: Uint8Array.fromHex(event_id), rule, header: envelope.raw.header });
  context
    .statement('DELETE FROM refused WHERE n <= (SELECT max(n) FROM refused) - :most')
    .run({ most: limits.refused_max });
  dropWaitingFor(context, identity, event_id);
}
