/**
 * Makes a group key where no clean one fits (types with effect `mint`), for events that have to be sealed anew. Who has one by now needs none.
 */
import type { Id } from '../../../core/fields.ts';
import { handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';
import { keyFor } from './group-keys.ts';

export const mint = handler({
  name: 'mint',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'mint',
  process: (envelope, context) => {
    const body = envelope.event.body as unknown as {
      readonly group_id: Id;
      readonly channel_id: Id | null;
      readonly expires_ms: number;
    };
    if (body.expires_ms <= context.now_ms) return advance(envelope);
    const { made } = keyFor(context, envelope, body);
    return advance(envelope, { follows: made === null ? [] : [{ envelope: made }] });
  },
});
