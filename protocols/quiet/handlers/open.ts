/**
 * Opens the body of a verified event: of a public type as it is, of a sealed one with a group key that this device holds. Then finds its type,
 * checks the body against the type's closed shape, and checks what the body proves (possession of an invite's key, the signed header of what is
 * to be deleted). A type that this node does not know is kept as it is: an older node must not lose what a newer one says.
 *
 * A wrap is believed only for what it opens: the content key that the author committed to. One that does not fit says nothing against the
 * event, which any other peer may bring with a better one.
 */
import { SottoError } from '../../../core/assert.ts';
import { decodeBody, decodeSealed } from '../../../core/body-codec.ts';
import type { Header, VerifiedEnvelope, Wrap } from '../../../core/envelope.ts';
import { type Event, type EventType, eventType, redact, type Target } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { decodeHeader, eventIdOf } from '../../../core/header-codec.ts';
import { advance, type Outcome, reject } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { verify as verifySignature } from '../../../crypto/sign.ts';
import { openBody } from './content-key.ts';
import { heldKey, isErased } from './group-keys.ts';
import { proofMessage } from './proof.ts';
import { askForRewrap } from './rewrap.ts';
import { holdBack } from './waiting.ts';
import { contentKeyOf, isSaidToBeDirty } from './wraps.ts';

export const open = handler({
  name: 'open',
  takes: 'verified',
  gives: ['opened'],
  process: (envelope, context) => {
    const { header } = envelope;
    const network_id = context.scope(envelope.identity).me?.network_id ?? envelope.event_id;
    try {
      if (header.type === null) return openSealed(envelope, network_id, context);
      const type = context.protocol.types.get(header.type)?.value;
      if (type === undefined) return advance(opaque(envelope, network_id));
      if (type.class !== 'public') return reject(`${type.class}_type_from_network`);
      if ((type.effect === 'root') !== (header.network_id === null)) return reject('not_the_root');
      if (header.key_commitment !== null || envelope.raw.wraps.length > 0) return reject('public_and_sealed');
      return checked(type, envelope.raw.body, envelope, network_id);
    } catch (thrown) {
      if (thrown instanceof SottoError) return reject(thrown.code);
      throw thrown;
    }
  },
});

/** The rest of opening is the same for both classes. */
function checked(
  type: EventType,
  bytes: Uint8Array,
  envelope: VerifiedEnvelope,
  network_id: Id,
): Outcome<never> | ReturnType<typeof advance<ReturnType<typeof opaque>>> {
  const { header } = envelope;
  const body = decodeBody(type, bytes);
  const aims = type.effect === 'delete' || type.effect === 'replace';
  const target = aims ? targetOf(header, body) : null;
  if (aims !== (header.target !== null) || (aims && target === null)) return reject('target_does_not_fit');
  if (!proofHolds(type, body, network_id, header.author)) return reject('bad_proof');
  const event = eventOf(type, envelope.event_id, network_id, header, redact(type, body), target);
  return advance({ ...envelope, stage: 'opened', type, event });
}

function openSealed(envelope: VerifiedEnvelope, network_id: Id, context: HandlerContext) {
  const { header, raw, identity } = envelope;
  if (header.group_id === null || header.key_commitment === null || header.network_id === null)
    return reject('sealed_for_nobody');
  const unknown: Wrap[] = [];
  const fitting: Wrap[] = [];
  let content_key: Uint8Array | null = null;
  let is_late = false;
  for (const wrap of raw.wraps) {
    const key = heldKey(context, identity, wrap.key_id);
    if (key === null || key.is_closed) {
      const is_gone =
        key !== null ||
        isErased(context, identity, wrap.key_id) ||
        isSaidToBeDirty(context, identity, wrap.key_id);
      if (is_gone) is_late = true;
      else unknown.push(wrap);
      continue;
    }
    // A key that dies before what it seals would take it along: no honest author does that.
    const fits = key.group_id === header.group_id && key.expires_ms >= header.expires_ms;
    const opened = fits
      ? contentKeyOf(context, envelope.event_id, header.key_commitment, { ...wrap, key })
      : null;
    if (opened === null) {
      context.count('rejected:wrap_does_not_fit');
      continue;
    }
    fitting.push(wrap);
    content_key ??= opened;
  }
  if (content_key === null) {
    if (unknown.length === 0) return is_late ? askForRewrap(envelope, context) : reject('no_wrap_fits');
    // Nobody signs wraps: one that does not open under a key that is here is nothing, and must not keep the key from being erased.
    const held = { ...envelope, raw: { ...raw, wraps: unknown } };
    const missing = [...new Set(unknown.map(({ key_id }) => key_id))];
    return holdBack(context, held, 'key_missing', { missing, any: true });
  }
  const plaintext = openBody(content_key, raw.header, raw.body);
  wipe(content_key);
  if (plaintext === null) return reject('body_does_not_open');
  const { type: name, body } = decodeSealed(plaintext);
  const with_fitting = { ...envelope, raw: { ...raw, wraps: fitting } };
  const type = context.protocol.types.get(name)?.value;
  if (type === undefined) return advance(opaque(with_fitting, network_id, name));
  if (type.class !== 'sealed') return reject(`${type.class}_type_sealed`);
  return checked(type, body, with_fitting, network_id);
}

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
    group_id: header.group_id,
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
  if (target.network_id !== header.network_id || target.group_id !== header.group_id) return null;
  const signature = Uint8Array.fromHex(body.target_signature);
  if (!verifySignature(signature, Uint8Array.fromHex(event_id), Uint8Array.fromHex(target.author)))
    return null;
  return {
    event_id,
    type: target.type,
    group_id: target.group_id,
    has_target: target.target !== null,
    author: target.author,
    expires_ms: target.expires_ms,
  };
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

function opaque(envelope: VerifiedEnvelope, network_id: Id, name = envelope.header.type ?? OPAQUE.name) {
  const event = eventOf(OPAQUE, envelope.event_id, network_id, envelope.header, {}, null);
  return { ...envelope, stage: 'opened' as const, type: OPAQUE, event: { ...event, type: name } };
}

export function isOpaque(type: EventType): boolean {
  return type === OPAQUE;
}
