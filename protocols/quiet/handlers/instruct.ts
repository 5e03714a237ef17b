/**
 * Takes an instruction of this node's own: checks its body and lets it run as an event of class `local`, which is neither signed nor stored.
 */
import { SottoError } from '../../../core/assert.ts';
import { parseBody } from '../../../core/body-codec.ts';
import { type Event, redact } from '../../../core/event-type.ts';
import { handler } from '../../../core/handler.ts';
import { advance } from '../../../core/outcome.ts';

export const instruct = handler({
  name: 'instruct',
  takes: 'instruction',
  gives: ['opened'],
  process: (envelope, context) => {
    const { type } = envelope.draft;
    let body: Record<string, unknown>;
    try {
      body = parseBody(type, envelope.draft.body);
    } catch (thrown) {
      if (thrown instanceof SottoError) throw new SottoError('bad_input', thrown.message);
      throw thrown;
    }
    const me = context.scope(envelope.identity).me;
    const event: Event = {
      event_id: '',
      type: type.name,
      network_id: me?.network_id ?? '',
      group_id: null,
      author: me?.device_id ?? '',
      seq: 0,
      created_ms: context.now_ms,
      expires_ms: context.now_ms,
      body: redact(type, body) as Event['body'],
      target: null,
    };
    return advance({ ...envelope, stage: 'opened', type, event, raw: null, header: null });
  },
});
