/**
 * What an event type is: a name, a class, a closed shape for its body, and at most one effect. Handlers act on the class and the effect,
 * never on a name, so that an app's own types get the same treatment as ours.
 */
import { z } from 'zod';
import { SottoError } from './assert.ts';
import { type ContentField, type Id, type Redacted, type Shape, tagsOf } from './fields.ts';

/**
 * - `public`: signed, stored, synced; the body is in clear inside the encrypted transport.
 * - `sealed`: as public, with the body sealed under a content key.
 * - `local`: an instruction to this node. Can never arrive from the network, never leaves.
 * - `transient`: authenticated by the session it came through; unsigned, never stored.
 */
export type TypeClass = 'public' | 'sealed' | 'local' | 'transient';

/**
 * What happens beyond storing and projecting:
 * - `root`: founds a network; its event id is the network's id.
 * - `membership`: says who belongs, who may what, or who no longer does. Such events are facts: kept whoever wrote them, once their author has
 *   ever been let in, and judged together (`standing`), so that the order in which they arrive does not matter.
 * - `group`: founds a private group (a fact, too). Only its members get it, and what is for it.
 * - `key`: brings a group key to one device, sealed to one of its prekeys. Body: `key_id`, `device_id`, `prekey`, `channel_id`, `key_expires_ms`, `sealed`.
 * - `delete`: its header's target dies. Its body has `target_header` and `target_signature` (filled in when it is signed), so that everybody can judge
 *   it without having the target.
 * - `replace`: as `delete`, but the target lives on with this event's content in place of its own, which is forgotten.
 * - `standing` (local): judges the facts anew and applies what follows. Its projector writes the tables of `standing` in the protocol's own SQL.
 * - `dirty`: says that a group key has sealed something that was deleted, for those who could not see it. Body: `key_id`. Grow-only: kept whoever wrote it.
 * - `rekey` (local): seals the content keys of events anew, under another group key. Body: `key_id`, `event_ids`.
 * - `mint` (local): makes a group key where no clean one fits. Body: `group_id`, `channel_id`, `expires_ms` (of what it is for).
 * - `erase` (local): takes from the disk what is dead or no longer needed. Body: `event_ids`, `why` (`expired`: their content; `rekeyed`: their old wraps).
 * - `purge` (local): erases a secret from its slot, where nothing needs it any more. Body: `kind` (`group_key`, `prekey`), `key_id`.
 * - `receipt` (local): notes that no copy of what was erased is left in the file. Body: `until`, the number of the last such erasure.
 * - `retire` (local): the prekeys published so far are not to be used any more.
 * - `need_rewrap` (transient): events that could not be taken in, because their key is closed here. Body: `event_ids`.
 * - `minted` (local): a group key has been made here, for its reflectors to share. Body: `key_id`.
 * - `forget` (local): erases one identity of this node with everything that belongs to it.
 * - `keygen` (local): makes a keypair. Body: `purpose` (`device`: a new identity, secret kept in a key slot; `invite`: secret given to the caller once)
 *   and `network_id` (null: the identity founds a network). `prekey`: secret kept in a key slot until it is no longer needed.
 * - `release` (local): takes up what has waited for its time.
 */
export type Effect =
  | 'root'
  | 'membership'
  | 'group'
  | 'key'
  | 'delete'
  | 'replace'
  | 'dirty'
  | 'rekey'
  | 'mint'
  | 'erase'
  | 'purge'
  | 'receipt'
  | 'retire'
  | 'need_rewrap'
  | 'standing'
  | 'minted'
  | 'forget'
  | 'keygen'
  | 'release';

/** Whose events of this type count: of devices of members only, or (types that lead to membership) of anyone whose event holds by itself. */
export type Authors = 'members' | 'anyone';

export interface EventType<Name extends string = string, S extends Shape = Shape> {
  readonly kind: 'event_type';
  readonly name: Name;
  readonly class: TypeClass;
  readonly effect: Effect | undefined;
  readonly authors: Authors;
  /** Field pair whose signature proves possession of the key in the other: [key field, proof field]. Checked when the event is opened. */
  readonly proof: { readonly key: string; readonly signature: string } | undefined;
  readonly description: string;
  readonly shape: S;
  readonly body: z.ZodObject<S>;
  /** Names of the body's fields, by tag. */
  readonly content_fields: readonly string[];
  readonly byte_fields: readonly string[];
  readonly dependency_fields: readonly string[];
  /** Of transient types: fields that have a default, with it as JSON. They are not sent where they have that value. */
  readonly defaults: ReadonlyMap<string, string>;
  /** For `replace`: the name of the type whose events it takes the place of. */
  readonly replaces: string | null;
  /** The field, if any, that names the grant of the right by which its author acts. */
  readonly basis_field: string | null;
}

/** The body as pure functions see it: content replaced by its length. */
export type RedactedBody<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends ContentField ? Redacted : z.infer<S[K]>;
};

/**
 * Declares an event type. `name` is snake_case or kebab-case and unique; `body` is closed: a field it does not name is refused.
 * Throws `SottoError('bad_event_type')` for contradictions.
 */
export function eventType<const Name extends string, const S extends Shape>(definition: {
  name: Name;
  class: TypeClass;
  description: string;
  body: S;
  effect?: Effect;
  authors?: Authors;
  replaces?: string;
  proof?: { key: keyof S & string; signature: keyof S & string };
}): EventType<Name, S> {
  const fail = (what: string): never => {
    throw new SottoError('bad_event_type', `Event type '${definition.name}': ${what}.`);
  };
  if (!/^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/.test(definition.name)) {
    fail(`expected a name in lower case with _ or - between words`);
  }
  const names = Object.keys(definition.body);
  for (const name of names) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) fail(`expected field names in snake_case, got '${name}'`);
  }
  const having = (tag: 'bytes' | 'content' | 'dependency') =>
    names.filter((name) => tagsOf(definition.body[name]!)[tag] !== undefined);
  if (definition.class === 'public' && having('content').length > 0)
    fail(
      `what people write belongs in a sealed type; '${having('content')[0]}' would lie in clear on every disk`,
    );
  const stored = definition.class === 'public' || definition.class === 'sealed';
  const defaults = new Map<string, string>();
  for (const name of names) {
    const { defaultValue } = definition.body[name]!.def as { defaultValue?: unknown };
    if (defaultValue === undefined) continue;
    // A stored body would have two encodings.
    if (definition.class !== 'transient') fail(`'${name}' has a default; only transient types may`);
    defaults.set(name, JSON.stringify(defaultValue));
  }
  if (!stored && having('dependency').length > 0)
    fail(`only stored types can depend on events; use id() in a ${definition.class} type`);
  return Object.freeze({
    kind: 'event_type' as const,
    name: definition.name,
    class: definition.class,
    effect: definition.effect,
    authors: definition.authors ?? 'members',
    proof: definition.proof,
    replaces: definition.replaces ?? null,
    description: definition.description,
    shape: definition.body,
    body: z.strictObject(definition.body) as unknown as z.ZodObject<S>,
    content_fields: having('content'),
    byte_fields: having('bytes'),
    dependency_fields: having('dependency'),
    defaults,
    basis_field: names.find((name) => tagsOf(definition.body[name]!).dependency === 'basis') ?? null,
  });
}

/** Stands for every stored event, whatever its type: for reflectors that run because of any. Of the body they see nothing. */
export const everyEvent = eventType({
  name: 'every_event',
  class: 'public',
  description: 'Any stored event.',
  body: {},
});

/** An event as projectors, rules and reflectors see it. Ids in hex, content replaced by its length. Frozen. */
export interface Event<S extends Shape = Shape> {
  readonly event_id: Id;
  readonly type: string;
  readonly network_id: Id;
  /** The private group it is for; the network's id, or null, where it is for everybody. */
  readonly group_id: Id | null;
  /** The device that signed it (its public key). */
  readonly author: Id;
  /** Position among its author's events, from 1. 0 for local and transient types. */
  readonly seq: number;
  readonly created_ms: number;
  /** `NEVER_MS` for events that live for ever. */
  readonly expires_ms: number;
  readonly body: RedactedBody<S>;
  /** For types with effect `delete`: what its signed header names, as the target's own signed header shows it. Else null. */
  readonly target: Target | null;
}

/** What a deletion knows of what it deletes: read from the target's signed header, which every deletion carries. */
export interface Target {
  readonly event_id: Id;
  /** null: of a sealed type. */
  readonly type: string | null;
  readonly group_id: Id | null;
  /** Whether the target is itself a deletion or an edit. */
  readonly has_target: boolean;
  readonly author: Id;
  readonly expires_ms: number;
}

/** Replaces content fields by `{ content_bytes }`. Shape and other fields stay. */
export function redact(type: EventType, body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (type.content_fields.length === 0) return { ...body };
  const shown: Record<string, unknown> = { ...body };
  for (const name of type.content_fields) {
    const value = shown[name];
    if (typeof value === 'string') {
      shown[name] = { content_bytes: new TextEncoder().encode(value).length } satisfies Redacted;
    }
  }
  return shown;
}
