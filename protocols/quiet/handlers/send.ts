/**
 * Hands to the host what shall go to a peer: transient messages, and stored events as they are. Only ever to a session that is named by its
 * id, of a device that may have the event, and only after the transaction that led to it is durable.
 */
import { encodeBody, parseBody } from '../../../core/body-codec.ts';
import { encodeEventItem, encodeHeaderItem, encodeTransientItem } from '../../../core/frame-codec.ts';
import { handler } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { emit, reject } from '../../../core/outcome.ts';
import { rewrapBeforeSending } from './rewrap.ts';
import { wrapsOf } from './wraps.ts';

/** A stored event; or one of our own that still waits, as everything does that a newcomer says before somebody has let it in. */
const STORED = `
  SELECT e.n, e.header, e.signature, e.body, e.expires_ms, g.id AS group_id
    FROM event e LEFT JOIN event g ON g.n = e.group_n WHERE e.identity = :identity AND e.id = :id
  UNION ALL
  SELECT NULL, w.header, w.signature, w.body, 9007199254740991, NULL
    FROM waiting w JOIN identity i ON i.identity = w.identity AND i.device = w.author
    WHERE w.identity = :identity AND w.id = :id AND w.group_id IS NULL
  UNION ALL
  SELECT NULL, header, signature, NULL, 0, NULL FROM chain_header WHERE identity = :identity AND id = :id
  LIMIT 1`;

/** Whether the device at the other end belongs to a private group now. */
const MAY_HAVE = `
  SELECT 1 AS found FROM session s JOIN current_group_device d ON d.identity = s.identity AND d.device = s.device
  WHERE s.identity = :identity AND s.session_id = :session_id AND d.group_id = :group_id`;

/** The private group that a header names; null for everybody. */
function privateGroupOf(header: Uint8Array): Uint8Array | null {
  const { group_id, network_id } = decodeHeader(header);
  return group_id === null || group_id === network_id ? null : Uint8Array.fromHex(group_id);
}

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
      return emit([], [{ effect: 'send', identity, session_id, item, ends_frame: draft.ends_frame }]);
    }
    const row = context.statement(STORED).get({ identity, id: Uint8Array.fromHex(draft.event_id) });
    if (row === undefined) return reject('nothing_to_forward');
    const header = row.header as Uint8Array;
    const group_id = (row.group_id as Uint8Array | null) ?? privateGroupOf(header);
    if (
      group_id !== null &&
      context.statement(MAY_HAVE).get({ identity, session_id, group_id }) === undefined
    )
      return reject('not_for_this_peer');
    const signature = row.signature as Uint8Array;
    const is_live = row.body !== null && (row.expires_ms as number) > context.now_ms;
    // Of what is gone only the header is ever sent: it is a link in its author's chain.
    const n = row.n as number | null;
    const { key_commitment, expires_ms } = decodeHeader(header);
    const made =
      is_live && n !== null && key_commitment !== null
        ? rewrapBeforeSending(n, { event_id: draft.event_id, expires_ms, key_commitment }, envelope, context)
        : null;
    const item = is_live
      ? encodeEventItem({
          header,
          signature,
          body: row.body as Uint8Array,
          wraps: n === null ? [] : wrapsOf(context, n),
        })
      : encodeHeaderItem(header, signature);
    return emit(made === null ? [] : [{ envelope: made }], [{ effect: 'send', identity, session_id, item }]);
  },
});
