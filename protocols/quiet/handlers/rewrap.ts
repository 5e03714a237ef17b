/**
 * What to do about an event that is sealed under a key which must go. Who receives one whose key is closed here does not take it in, or nobody
 * could ever forget: it asks for it again under another key. Who is about to send one seals it anew before.
 */
import {
  type AnyEnvelope,
  type InstructionEnvelope,
  transmit,
  type VerifiedEnvelope,
} from '../../../core/envelope.ts';
import type { EventType } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { emit, type Outcome, reject } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { wrapContentKey } from './content-key.ts';
import { keyFor, withKey } from './group-keys.ts';
import { addWrap, contentKeyOf, markReplaced, storedWraps } from './wraps.ts';

/** Refuses a sealed event for now, and tells whoever brought it why. */
export function askForRewrap(envelope: VerifiedEnvelope, context: HandlerContext): Outcome<never> {
  const { origin, event_id } = envelope;
  const type = [...context.protocol.types.values()].find(
    ({ value }) => value.effect === 'need_rewrap',
  )?.value;
  if (type === undefined || origin.from !== 'network' || origin.session_id === '')
    return reject('key_closed');
  context.count('rejected:key_closed');
  const asked = transmit(
    type as EventType<string, never>,
    { event_ids: [event_id] } as never,
    origin.session_id,
  );
  return emit([{ emitted: asked, by: { name: 'open', event_id } }]);
}

/**
 * Sees to it that a stored event has a wrap under a clean key, made (and the key minted) if there is none. Returns what shares the key, where one
 * was made.
 */
export function rewrapBeforeSending(
  n: number,
  about: { readonly event_id: Id; readonly expires_ms: number; readonly key_commitment: Id | null },
  envelope: Pick<AnyEnvelope, 'identity' | 'cause' | 'depth'>,
  context: HandlerContext,
): InstructionEnvelope | null {
  const wraps = storedWraps(context, n);
  const [source] = wraps;
  if (source === undefined || !source.is_dirty) return null;
  const { group_id, channel_id } = source;
  const content_key = contentKeyOf(context, about.event_id, about.key_commitment, source);
  if (content_key === null) return null;
  const { key, made } = keyFor(context, envelope, { group_id, channel_id, expires_ms: about.expires_ms });
  const sealed = withKey(context, key, (secret) =>
    wrapContentKey(secret, about.event_id, key.key_id, content_key),
  );
  wipe(content_key);
  addWrap(context, n, key.n, sealed);
  markReplaced(context, n);
  return made;
}
