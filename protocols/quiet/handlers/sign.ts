/**
 * Turns a draft into an event of ours: fills in what only the pipeline knows (ids of earlier drafts, proofs, the target of a deletion),
 * checks the body, gives it its place in this device's chain (`seq`, `prev`), and signs it.
 *
 * `created_ms` never goes back within one device, whatever the clock does: readers order one author's events by it.
 */
import { assert, SottoError } from '../../../core/assert.ts';
import type {
  EventDraft,
  Header,
  IdOf,
  OutgoingEnvelope,
  ProofWith,
  RawEvent,
} from '../../../core/envelope.ts';
import { encodeBody, encodeHeader, eventIdOf, HEADER_VERSION, parseBody } from '../../../core/event-codec.ts';
import { redact } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { limits, NEVER_MS } from '../../../core/limits.ts';
import { advance, reject } from '../../../core/outcome.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { signerFromSeed } from '../../../crypto/sign.ts';
import { readSlot } from './key-slot.ts';
import { eventOf, targetOf } from './open.ts';
import { proofMessage } from './proof.ts';

export const sign = handler({
  name: 'sign',
  takes: 'outgoing',
  gives: ['opened'],
  accepts: (envelope) => envelope.draft.draft === 'event',
  process: (envelope, context) => {
    const draft = envelope.draft as EventDraft;
    const me = identityRow(envelope, context);
    if ((draft.type.effect === 'root') !== (me.network_id === null)) return reject('not_the_root');
    const resolved = resolve(draft, me, context);
    if (typeof resolved === 'string') return reject(resolved);
    let body: Record<string, unknown>;
    try {
      body = parseBody(draft.type, resolved);
    } catch (thrown) {
      if (thrown instanceof SottoError) throw new SottoError('bad_input', thrown.message);
      throw thrown;
    }
    const bytes = encodeBody(draft.type, body);
    if (bytes.length > limits.event_bytes_max - limits.header_bytes_max) return reject('event_too_large');
    const created_ms = Math.max(context.now_ms, me.last_created_ms);
    const header: Header = {
      version: HEADER_VERSION,
      network_id: me.network_id,
      group_id: null,
      type: draft.type.name,
      author: me.device_id,
      seq: me.last_seq + 1,
      prev: me.last_event_id,
      created_ms,
      expires_ms: expiry(created_ms, draft.ttl_ms),
      body_hash: blake2b256(bytes).toHex(),
      key_commitment: null,
      target: draft.target,
    };
    const header_bytes = encodeHeader(header);
    const event_id = eventIdOf(created_ms, blake2b256(header_bytes));
    const signer = signerFromSeed(readSlot(context, me.slot));
    const signature = signer.sign(Uint8Array.fromHex(event_id));
    signer.destroy();
    const raw: RawEvent = { header: header_bytes, signature, body: bytes };
    advanceChain(envelope, context, event_id, header, me.network_id ?? event_id);
    context.draft_ids.set(draft, event_id);
    const target = draft.target === null ? null : targetOf(header, body);
    if (draft.target !== null && target === null) return reject('target_does_not_fit');
    const event = eventOf(
      draft.type,
      event_id,
      me.network_id ?? event_id,
      header,
      redact(draft.type, body),
      target,
    );
    return advance({ ...envelope, stage: 'opened', type: draft.type, event, raw, header });
  },
});

/** `created + ttl` in checked integers; a ttl of 0 is never, which compares as later than everything. */
function expiry(created_ms: number, ttl_ms: number): number {
  if (!Number.isSafeInteger(ttl_ms) || ttl_ms < 0 || ttl_ms > limits.ttl_ms_max + 86_400_000) {
    throw new SottoError(
      'bad_ttl',
      `Expected ttl_ms to be 0 (for ever) or up to ten years in whole milliseconds, got ${ttl_ms}.`,
    );
  }
  return ttl_ms === 0 ? NEVER_MS : created_ms + ttl_ms;
}

interface Me {
  readonly network_id: Id | null;
  readonly device_id: Id;
  readonly slot: number;
  readonly last_seq: number;
  readonly last_event_id: Id | null;
  readonly last_created_ms: number;
}

function identityRow(envelope: OutgoingEnvelope, context: HandlerContext): Me {
  const row = context
    .statement(
      'SELECT network_id, device, slot, last_seq, last_event_id, last_created_ms FROM identity WHERE identity = :identity',
    )
    .get({ identity: envelope.identity });
  if (row === undefined)
    throw new SottoError('no_identity', 'An event can only be made as one of the identities of this node.');
  const hex = (value: unknown) => (value instanceof Uint8Array ? value.toHex() : null);
  return {
    network_id: hex(row.network_id),
    device_id: hex(row.device)!,
    slot: row.slot as number,
    last_seq: row.last_seq as number,
    last_event_id: hex(row.last_event_id),
    last_created_ms: row.last_created_ms as number,
  };
}

function advanceChain(
  envelope: OutgoingEnvelope,
  context: HandlerContext,
  event_id: Id,
  header: Header,
  network_id: Id,
): void {
  context
    .statement(
      `UPDATE identity SET network_id = :network_id, last_seq = :seq, last_event_id = :id, last_created_ms = :created_ms WHERE identity = :identity`,
    )
    .run({
      identity: envelope.identity,
      network_id: Uint8Array.fromHex(network_id),
      seq: header.seq,
      id: Uint8Array.fromHex(event_id),
      created_ms: header.created_ms,
    });
}

/** The draft's body with everything in it that stands for something else replaced, or the name of the rule that forbids it. */
function resolve(draft: EventDraft, me: Me, context: HandlerContext): Record<string, unknown> | string {
  const body: Record<string, unknown> = { ...draft.body };
  for (const name of Object.keys(body)) {
    const value = body[name] as Partial<IdOf & ProofWith> | null;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) continue;
    if (value.id_of !== undefined) {
      const id = context.draft_ids.get(value.id_of);
      if (id === undefined) return 'names_a_draft_that_was_not_made';
      body[name] = id;
    } else if (value.proof_with !== undefined) {
      const secret = context.secrets.get(value.proof_with);
      assert(
        secret !== undefined && me.network_id !== null,
        'a proof is made with a secret that the host holds, in a network',
      );
      const signer = signerFromSeed(secret);
      body[name] = signer.sign(proofMessage(me.network_id, me.device_id)).toHex();
      signer.destroy();
    }
  }
  if (draft.type.effect !== 'delete' || draft.target === null || me.network_id === null) return body;
  const target = context
    .statement(
      `SELECT e.header, e.signature FROM event e JOIN identity i ON i.identity = e.identity
       WHERE i.device = :device AND e.id = :id`,
    )
    .get({ device: Uint8Array.fromHex(me.device_id), id: Uint8Array.fromHex(draft.target.event_id) });
  if (target === undefined) return 'target_is_unknown';
  body.target_header = (target.header as Uint8Array).toHex();
  body.target_signature = (target.signature as Uint8Array).toHex();
  return body;
}
