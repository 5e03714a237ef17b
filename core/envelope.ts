/**
 * Envelopes: what travels through the pipeline. A union by stage, so that a handler that takes a later stage cannot be given an earlier one
 * ("project before verify" does not compile). Every envelope carries its cause and how deep it lies below it.
 */
import { SottoError } from './assert.ts';
import type { Event, EventType } from './event-type.ts';
import type { Id, Infer, Shape } from './fields.ts';

/** The local number of an identity (one device key in one network). 0: none, for work that concerns the whole node. */
export type Identity = number;

/** Why an envelope exists. */
export type Cause =
  | { readonly kind: 'command'; readonly name: string }
  | { readonly kind: 'job'; readonly name: string; readonly scheduled_for_ms: number }
  | { readonly kind: 'reflector'; readonly name: string; readonly event_id: Id | null }
  | { readonly kind: 'session'; readonly session_id: string }
  | { readonly kind: 'host'; readonly name: string };

/** Where something came from: `here` is this node; `network` names the authenticated session, and nothing else is believed about the sender. */
export type Origin =
  | { readonly from: 'here' }
  | { readonly from: 'network'; readonly session_id: string; readonly device_id: Id };

interface Carried {
  readonly identity: Identity;
  readonly cause: Cause;
  readonly origin: Origin;
  /** Reflectors between this and its root cause. */
  readonly depth: number;
}

/** The signed header, decoded. Field order is the wire's. */
export interface Header {
  readonly version: 1;
  /** null only in the event that founds the network. */
  readonly network_id: Id | null;
  readonly group_id: Id | null;
  /** null for sealed types: they keep theirs in the body. */
  readonly type: string | null;
  readonly author: Id;
  readonly seq: number;
  readonly prev: Id | null;
  readonly created_ms: number;
  /** `NEVER_MS`: for ever. */
  readonly expires_ms: number;
  readonly body_hash: Id;
  readonly key_commitment: Id | null;
  readonly target: { readonly event_id: Id; readonly expires_ms: number } | null;
}

/** The content key of one event, sealed under one group key (48 bytes). */
export interface Wrap {
  readonly key_id: Id;
  readonly sealed: Uint8Array;
}

/** An event as it is stored and sent. Sealed events travel with their wraps; public ones have none. */
export interface RawEvent {
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
  readonly wraps: readonly Wrap[];
}

/** One whole message of a session, as it came. */
export interface FrameEnvelope extends Carried {
  readonly stage: 'frame';
  readonly bytes: Uint8Array;
  /** Places of items whose signatures the host has found to hold. */
  readonly checked?: ReadonlySet<number> | undefined;
}

/** One item of a frame: of known size, nothing else known. */
export interface ReceivedEnvelope extends Carried {
  readonly stage: 'received';
  readonly raw: RawEvent;
  /** The host has found its signature to hold: header, signature and author are these very bytes. */
  readonly signature_holds?: boolean;
}

/** The signed header of an event whose body is gone or not for us: a link in its author's chain, nothing else. */
export interface HeaderEnvelope extends Carried {
  readonly stage: 'header';
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
}

/** Its id fits its bytes and its author signed it. Nothing is known of what it says. */
export interface VerifiedEnvelope extends Carried {
  readonly stage: 'verified';
  readonly raw: RawEvent;
  readonly event_id: Id;
  readonly header: Header;
}

/** Its body has the shape of its type. `raw` is null for what is never stored (instructions, transients). */
export interface OpenedEnvelope extends Carried {
  readonly stage: 'opened';
  readonly type: EventType;
  readonly event: Event;
  readonly raw: RawEvent | null;
  readonly header: Header | null;
}

/** All it names is valid, its author counts, every rule of its type holds. */
export interface ValidEnvelope extends Carried {
  readonly stage: 'valid';
  readonly type: EventType;
  readonly event: Event;
  readonly raw: RawEvent | null;
  readonly header: Header | null;
}

/** What a command, job or reflector wants to say; see `event`, `transmit` and `forward`. */
export interface OutgoingEnvelope extends Carried {
  readonly stage: 'outgoing';
  readonly draft: EventDraft | TransmitDraft | ForwardDraft;
}

/** What a command, job or reflector wants this node to do; see `instruct`. */
export interface InstructionEnvelope extends Carried {
  readonly stage: 'instruction';
  readonly draft: InstructionDraft;
}

export type AnyEnvelope =
  | FrameEnvelope
  | ReceivedEnvelope
  | HeaderEnvelope
  | VerifiedEnvelope
  | OpenedEnvelope
  | ValidEnvelope
  | OutgoingEnvelope
  | InstructionEnvelope;
export type Stage = AnyEnvelope['stage'];
export type EnvelopeAt<S extends Stage> = Extract<AnyEnvelope, { stage: S }>;

// --- what pure functions return -------------------------------------------------------------------------------------------------------

/** A new event of ours: the pipeline gives it header, id and signature. */
export interface EventDraft {
  readonly draft: 'event';
  readonly type: EventType;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds to live, 0 for ever. */
  readonly ttl_ms: number;
  readonly target: { readonly event_id: Id; readonly expires_ms: number } | null;
  /** The group whose members it is for; the network's id stands for everybody. null: as `stream_id`, or public. */
  readonly group_id: Id | IdOf | null;
  /** The channel it belongs to, if any: sealed events of one channel share keys with each other and with no other channel. */
  readonly stream_id: Id | IdOf | null;
}

/** A transient message to one session. */
export interface TransmitDraft {
  readonly draft: 'transmit';
  readonly type: EventType;
  readonly body: Readonly<Record<string, unknown>>;
  readonly session_id: string;
  /** What follows comes in another frame, so that the peer can answer before it has taken that in. */
  readonly ends_frame: boolean;
}

/** A stored event, sent as it is to one session. */
export interface ForwardDraft {
  readonly draft: 'forward';
  readonly event_id: Id;
  readonly session_id: string;
}

/** A local instruction. */
export interface InstructionDraft {
  readonly draft: 'instruction';
  readonly type: EventType;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What commands, jobs and reflectors return a list of: the founding document's envelope, before the pipeline knows more about it. */
export type Envelope = EventDraft | TransmitDraft | ForwardDraft | InstructionDraft;

/** In a draft's body: the id that another draft of the same list gets when it is signed (of a keypair instruction: its public key). */
export interface IdOf {
  readonly id_of: EventDraft | InstructionDraft;
}

/** In a draft's body: a signature over this network and device with a secret that the host keeps under `handle`. */
export interface ProofWith {
  readonly proof_with: string;
}

/** In a draft's body: the group key `key_id`, sealed to the prekey `to_prekey`, so that the key itself never enters a pure function. */
export interface SealedKey {
  readonly seal_key: Id;
  readonly to_prekey: Id;
}

type DraftBody<S extends Shape> = {
  readonly [K in keyof Infer<S>]:
    | Infer<S>[K]
    | (string extends NonNullable<Infer<S>[K]> ? IdOf | ProofWith | SealedKey : never);
};

function draftBody(
  type: EventType,
  body: Readonly<Record<string, unknown>>,
  classes: readonly string[],
  maker: string,
) {
  if (!classes.includes(type.class)) {
    throw new SottoError(
      'wrong_class',
      `${maker}() takes types of class ${classes.join(' or ')}; '${type.name}' is ${type.class}.`,
    );
  }
  return Object.freeze({ ...body });
}

/**
 * A new signed event. `ttl_ms` 0 (default) means for ever. Throws `SottoError('wrong_class')` for local and transient types, and
 * `SottoError('no_group')` for a sealed type without group and channel: `stream_id` names the channel, whose group it then is for; `group_id` alone
 * is for what belongs to no channel (a name, say).
 */
export function event<S extends Shape>(
  type: EventType<string, S>,
  body: DraftBody<S>,
  options: {
    ttl_ms?: number;
    target?: { event_id: Id; expires_ms: number };
    group_id?: Id | IdOf | null;
    stream_id?: Id | IdOf | null;
  } = {},
): EventDraft {
  if (type.class === 'sealed' && options.group_id == null && options.stream_id == null) {
    throw new SottoError(
      'no_group',
      `event(${type.name}): a sealed event is for somebody; give { stream_id } (a channel) or { group_id } (the network's id for everybody).`,
    );
  }
  return Object.freeze({
    draft: 'event' as const,
    type: type as EventType,
    body: draftBody(type as EventType, body, ['public', 'sealed'], 'event'),
    ttl_ms: options.ttl_ms ?? 0,
    target: options.target ?? null,
    group_id: options.group_id ?? null,
    stream_id: options.stream_id ?? null,
  });
}

/** A transient message to the peer at the other end of a session. */
export function transmit<S extends Shape>(
  type: EventType<string, S>,
  body: Infer<S>,
  session_id: string,
  { ends_frame = false }: { ends_frame?: boolean } = {},
): TransmitDraft {
  return Object.freeze({
    draft: 'transmit' as const,
    type: type as EventType,
    body: draftBody(type as EventType, body, ['transient'], 'transmit'),
    session_id,
    ends_frame,
  });
}

/** Sends a stored event to the peer at the other end of a session. */
export function forward(event_id: Id, session_id: string): ForwardDraft {
  return Object.freeze({ draft: 'forward' as const, event_id, session_id });
}

/** An instruction to this node. */
export function instruct<S extends Shape>(type: EventType<string, S>, body: Infer<S>): InstructionDraft {
  return Object.freeze({
    draft: 'instruction' as const,
    type: type as EventType,
    body: draftBody(type as EventType, body, ['local'], 'instruct'),
  });
}

/** Stands for the id that `draft` will have. For use in the body of a later draft of the same list. */
export function idOf(draft: EventDraft | InstructionDraft): IdOf {
  return Object.freeze({ id_of: draft });
}

/** Stands for a group key that this device holds, sealed to somebody's prekey. */
export function sealedKey(key_id: Id, to_prekey: Id): SealedKey {
  return Object.freeze({ seal_key: key_id, to_prekey });
}

/** Stands for a proof made with a secret that the host keeps under `handle`, so that the secret itself never enters a pure function. */
export function proofWith(handle: string): ProofWith {
  return Object.freeze({ proof_with: handle });
}
