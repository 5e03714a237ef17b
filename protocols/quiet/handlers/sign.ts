/**
 * Turns a draft into an event of ours: fills in what only the pipeline knows (ids of earlier drafts, proofs, sealed keys, the target of a
 * deletion), checks the body, seals it where its type is sealed, gives it its place in this device's chain (`seq`, `prev`), and signs it.
 *
 * `created_ms` never goes back within one device, whatever the clock does: readers order one author's events by it.
 */
import { SottoError } from '../../../core/assert.ts';
import { encodeBody, encodeSealed, parseBody } from '../../../core/body-codec.ts';
import type {
  EventDraft,
  Header,
  IdOf,
  InstructionEnvelope,
  OutgoingEnvelope,
  RawEvent,
  Wrap,
} from '../../../core/envelope.ts';
import { redact } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { encodeHeader, eventIdOf, HEADER_VERSION } from '../../../core/header-codec.ts';
import { limits, NEVER_MS } from '../../../core/limits.ts';
import { advance, reject } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { blake2b256 } from '../../../crypto/hash.ts';
import { signOnce } from '../../../crypto/sign.ts';
import { advanceChain, chainEnd } from './chain.ts';
import { commitmentTo, sealBody, wrapContentKey } from './content-key.ts';
import { resolveDraft } from './draft.ts';
import { keyFor, withKey } from './group-keys.ts';
import { readSlot } from './key-slot.ts';
import { eventOf, targetOf } from './open.ts';
import { hexOrNull, standingOfBase } from './store.ts';

export const sign = handler({
  name: 'sign',
  takes: 'outgoing',
  gives: ['opened'],
  accepts: (envelope) => envelope.draft.draft === 'event',
  process: (envelope, context) => {
    const draft = envelope.draft as EventDraft;
    const { type } = draft;
    const me = identityRow(envelope, context);
    if ((type.effect === 'root') !== (me.network_id === null)) return reject('not_the_root');
    const resolved = resolveDraft(draft, me, envelope.identity, context);
    if (typeof resolved === 'string') return reject(resolved);
    let body: Record<string, unknown>;
    try {
      body = parseBody(type, resolved);
    } catch (thrown) {
      if (thrown instanceof SottoError) throw new SottoError('bad_input', thrown.message);
      throw thrown;
    }
    const addressed = addresseesOf(draft, me, envelope, context);
    if (typeof addressed === 'string') return reject(addressed);
    const { group_id, channel_id } = addressed;
    const founds_group = type.effect === 'group';
    // It is the first of its chain: two with the same founders at one time would be the same event.
    const created_ms = Math.max(context.now_ms, me.last_created_ms + (founds_group ? 1 : 0));
    const audience = group_id === me.network_id ? null : group_id;
    const end = founds_group ? { seq: 0, event_id: null } : chainEnd(context, envelope.identity, audience);
    const unsealed: Header = {
      version: HEADER_VERSION,
      network_id: me.network_id,
      group_id,
      type: type.class === 'sealed' ? null : type.name,
      author: me.device_id,
      seq: end.seq + 1,
      prev: end.event_id,
      created_ms,
      expires_ms: expiry(created_ms, draft.ttl_ms),
      body_hash: '00'.repeat(32),
      key_commitment: null,
      target: draft.target,
    };
    const sealed =
      type.class === 'sealed'
        ? seal(unsealed, encodeSealed(type, body), channel_id, envelope, context)
        : null;
    const bytes = sealed?.body ?? encodeBody(type, body);
    if (bytes.length > limits.event_bytes_max - limits.header_bytes_max - 80 * limits.wraps_per_event_max)
      return reject('event_too_large');
    const header: Header = { ...(sealed?.header ?? unsealed), body_hash: blake2b256(bytes).toHex() };
    const header_bytes = encodeHeader(header);
    const event_id = eventIdOf(created_ms, blake2b256(header_bytes));
    const seed = readSlot(context, me.slot);
    const signature = signOnce(seed, Uint8Array.fromHex(event_id));
    wipe(seed);
    const raw: RawEvent = {
      header: header_bytes,
      signature,
      body: bytes,
      wraps: sealed === null ? [] : [sealed.wrapFor(event_id)],
    };
    const network_id = me.network_id ?? event_id;
    if (me.network_id === null) setNetwork(envelope, context, event_id);
    noteTime(envelope, context, created_ms);
    advanceChain(context, envelope.identity, founds_group ? event_id : audience, header.seq, event_id);
    context.draft_ids.set(draft, event_id);
    const target = draft.target === null ? null : targetOf(header, body);
    if (draft.target !== null && target === null) return reject('target_does_not_fit');
    const event = eventOf(type, event_id, network_id, header, redact(type, body), target);
    const follows = sealed?.made == null ? [] : [{ envelope: sealed.made }];
    return advance({ ...envelope, stage: 'opened', type, event, raw, header }, { follows });
  },
});

interface Sealed {
  readonly header: Header;
  readonly body: Uint8Array;
  readonly wrapFor: (event_id: Id) => Wrap;
  readonly made: InstructionEnvelope | null;
}

/** Seals a body under a content key of its own, and that key under the group's. */
function seal(
  unsealed: Header,
  plaintext: Uint8Array,
  channel_id: Id | null,
  envelope: OutgoingEnvelope,
  context: HandlerContext,
): Sealed {
  const content_key = context.random.bytes(32);
  const header: Header = { ...unsealed, key_commitment: commitmentTo(content_key) };
  const body = sealBody(content_key, header, plaintext);
  const { expires_ms } = unsealed;
  const { key, made } = keyFor(context, envelope, { group_id: unsealed.group_id!, channel_id, expires_ms });
  return {
    header,
    body,
    made,
    wrapFor: (event_id) => {
      const sealed = withKey(context, key, (secret) =>
        wrapContentKey(secret, event_id, key.key_id, content_key),
      );
      wipe(content_key);
      return { key_id: key.key_id, sealed };
    },
  };
}

/** `created + ttl` in checked integers; a ttl of 0 is never, which compares as later than everything. */
function expiry(created_ms: number, ttl_ms: number): number {
  if (!Number.isSafeInteger(ttl_ms) || ttl_ms < 0 || ttl_ms > limits.lifetime_ms_max) {
    throw new SottoError(
      'bad_ttl',
      `Expected ttl_ms to be 0 (for ever) or up to ten years in whole milliseconds, got ${ttl_ms}.`,
    );
  }
  return ttl_ms === 0 ? NEVER_MS : created_ms + ttl_ms;
}

/** Group and channel that a draft is for, or the name of the rule that forbids it. */
function addresseesOf(
  draft: EventDraft,
  me: Me,
  envelope: OutgoingEnvelope,
  context: HandlerContext,
): { group_id: Id | null; channel_id: Id | null } | string {
  const idOf = (id: Id | IdOf | null) =>
    id === null || typeof id === 'string' ? id : (context.draft_ids.get(id.id_of) ?? undefined);
  const channel_id = idOf(draft.stream_id);
  const given = idOf(draft.group_id);
  if (channel_id === undefined || given === undefined) return 'names_a_draft_that_was_not_made';
  if (given !== null || channel_id === null) return { group_id: given, channel_id };
  const { standing, group_id } = standingOfBase(context, envelope.identity, channel_id);
  if (standing !== 'live') return 'no_such_channel';
  return { group_id: group_id ?? me.network_id, channel_id };
}

export interface Me {
  readonly network_id: Id | null;
  readonly device_id: Id;
  readonly slot: number;
  readonly last_created_ms: number;
}

function identityRow(envelope: OutgoingEnvelope, context: HandlerContext): Me {
  const row = context
    .statement('SELECT network_id, device, slot, last_created_ms FROM identity WHERE identity = :identity')
    .get({ identity: envelope.identity });
  if (row === undefined)
    throw new SottoError('no_identity', 'An event can only be made as one of the identities of this node.');
  return {
    network_id: hexOrNull(row.network_id),
    device_id: hexOrNull(row.device)!,
    slot: row.slot as number,
    last_created_ms: row.last_created_ms as number,
  };
}

function setNetwork({ identity }: OutgoingEnvelope, context: HandlerContext, network_id: Id): void {
  context
    .statement('UPDATE identity SET network_id = :network_id WHERE identity = :identity')
    .run({ identity, network_id: Uint8Array.fromHex(network_id) });
}

function noteTime({ identity }: OutgoingEnvelope, context: HandlerContext, created_ms: number): void {
  context
    .statement('UPDATE identity SET last_created_ms = :created_ms WHERE identity = :identity')
    .run({ identity, created_ms });
}
