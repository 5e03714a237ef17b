/**
 * Hands to the host what shall go to a peer: transient messages, and stored events as they are. Only ever to a session that is named by its
 * id, and only after the transaction that led to it is durable.
 */
import { encodeBody, encodeEventItem, encodeTransientItem, parseBody } from '../../../core/event-codec.ts';
import { handler } from '../../../core/handler.ts';
import { emit, reject } from '../../../core/outcome.ts';

/** A live event; or one of our own that still waits, as everything does that a newcomer says before somebody has let it in. */
const STORED = `
  SELECT header, signature, body FROM event WHERE identity = :identity AND id = :id AND body IS NOT NULL AND expires_ms > :now_ms
  UNION ALL
  SELECT w.header, w.signature, w.body FROM waiting w JOIN identity i ON i.identity = w.identity AND i.device = w.author
    WHERE w.identity = :identity AND w.id = :id
  LIMIT 1`;

export const send = handler({
  name: 'send',
  takes: 'outgoing',
  gives: [],
  accepts: (envelope) => envelope.draft.draft !== 'event',
  process: (envelope, context) => {
    const { draft, identity } = envelope;
    if (draft.draft === 'event') return reject('not_to_be_sent');
    const { session_id } = draft;
    if (draft.draft === 'transmit') {
      const item = encodeTransientItem(
        draft.type.name,
        encodeBody(draft.type, parseBody(draft.type, draft.body)),
      );
      return emit([], [{ effect: 'send', identity, session_id, item }]);
    }
    const row = context
      .statement(STORED)
      .get({ identity, id: Uint8Array.fromHex(draft.event_id), now_ms: context.now_ms });
    if (row === undefined) return reject('nothing_to_forward');
    const item = encodeEventItem({
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
    });
    return emit([], [{ effect: 'send', identity, session_id, item }]);
  },
});
