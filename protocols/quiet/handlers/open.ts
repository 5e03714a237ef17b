/**
 * Opens the body of a verified event: finds its type, decodes and checks the body against the type's closed shape, and checks what the
 * body proves (possession of an invite's key, the signed header of what is to be deleted). A type that this node does not know is
 * kept as it is: an older node must not lose what a newer one says.
 */
import { SottoError } from '../../../core/assert.ts';
import type { Header, VerifiedEnvelope } from '../../../core/envelope.ts';
import { decodeBody, decodeHeader, eventIdOf } from '../../../core/event-codec.ts';
import { type Event, type EventType, eventType, redact, type Target } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import { handler } from '../../../core/handler.ts';
import { advance, reject } from '../../../core/outcome.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify as verifySignature } from '../../../crypto/sign.ts';
import { proofMessage } from './proof.ts';

export const open = handler({
  name: 'open',
  takes: 'verified',
  gives: ['opened'],
  process: (envelope, context) => {
    const { header, raw } = envelope;
    const network_id = context.scope(envelope.identity).me?.network_id ?? envelope.event_id;
    const type = header.type === null ? undefined : context.protocol.types.get(header.type)?.value;
    if (type === undefined) return advance(opaque(envelope, network_id));
    if (type.class === 'local' || type.class === 'transient')
      return reject(`${type.class}_type_from_network`);
    if ((type.effect === 'root') !== (header.network_id === null)) return reject('not_the_root');
    try {
      const body = decodeBody(type, raw.body);
      const target = type.effect === 'delete' ? targetOf(header, body) : null;
      if (type.effect === 'delete' && target === null) return reject('target_does_not_fit');
      if (!proofHolds(type, body, network_id, header.author)) return reject('bad_proof');
      const event = eventOf(type, envelope.event_id, network_id, header, redact(type, body), target);
      return advance({ ...envelope, stage: 'opened', type, event });
    } catch (thrown) {
      if (thrown instanceof SottoError) return reject(thrown.code);
      throw thrown;
    }
  },
});

/** An event as pure functions see it. `body` must be redacted already. */
export function eventOf(
  type: EventType,
  event_id: Id,
  network_id: Id,
  header: Header,
  body: Readonly<Record<string, unknown>>,
  target: Target | null,
): Event {
  return {
    event_id,
    type: type.name,
    network_id,
    author: header.author,
    seq: header.seq,
    created_ms: header.created_ms,
    expires_ms: header.expires_ms,
    body: body as Event['body'],
    target,
  };
}

/** What a deletion's body shows of its target, or null where that is not what its header names, or not signed by whom it says. */
export function targetOf(header: Header, body: Readonly<Record<string, unknown>>): Target | null {
  const named = header.target;
  if (named === null || typeof body.target_header !== 'string' || typeof body.target_signature !== 'string')
    return null;
  const bytes = Uint8Array.fromHex(body.target_header);
  const target = decodeHeader(bytes);
  const event_id = eventIdOf(target.created_ms, blake2b256(bytes));
  if (event_id !== named.event_id || target.expires_ms !== named.expires_ms) return null;
  if (target.network_id !== header.network_id) return null;
  const signature = Uint8Array.fromHex(body.target_signature);
  if (!verifySignature(signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(target.author)))
    return null;
  return { event_id, type: target.type, author: target.author, expires_ms: target.expires_ms };
}

function proofHolds(
  type: EventType,
  body: Readonly<Record<string, unknown>>,
  network_id: Id,
  author: Id,
): boolean {
  if (type.proof === undefined) return true;
  const key = body[type.proof.key];
  const signature = body[type.proof.signature];
  if (key === null && signature === null) return true;
  if (typeof key !== 'string' || typeof signature !== 'string') return false;
  return verifySignature(
    Uint8Array.fromHex(signature),
    proofMessage(network_id, author),
    Uint8Array.fromHex(key),
  );
}

/** Stands for every type that this node does not know. */
const OPAQUE = eventType({
  name: 'opaque',
  class: 'public',
  description: 'Of a type this node does not know.',
  body: {},
}) as unknown as EventType;

function opaque(envelope: VerifiedEnvelope, network_id: Id) {
  const event = eventOf(OPAQUE, envelope.event_id, network_id, envelope.header, {}, null);
  return {
    ...envelope,
    stage: 'opened' as const,
    type: OPAQUE,
    event: { ...event, type: envelope.header.type ?? OPAQUE.name },
  };
}

export function isOpaque(type: EventType): boolean {
  return type === OPAQUE;
}
