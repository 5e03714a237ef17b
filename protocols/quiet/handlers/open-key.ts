/**
 * What a valid event with effect `key` does: notes who was given which key, and opens it if it is for this device. The key's id tells whether
 * it is what the event says it is, so that nobody can pass off another key, group or expiry under it. A key that does not open is not an error
 * of the event's: the prekey's secret stays, and the key is asked for again (`request_keys`).
 */

import type { ValidEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { limits, NEVER_MS } from '../../../core/limits.ts';
import { advance, type Follow } from '../../../core/outcome.ts';
import { openSealed } from '../../../crypto/box.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { keyIdOf } from './content-key.ts';
import { heldKey, holdKey, isErased } from './group-keys.ts';
import { readSlot } from './key-slot.ts';
import { rowNumberOf } from './store.ts';
import { takeReleasedBy } from './waiting.ts';
import { isSaidToBeDirty, makeDirty } from './wraps.ts';

interface KeyBody {
  readonly key_id: string;
  readonly device_id: string;
  readonly prekey: string;
  readonly channel_id: string | null;
  readonly key_expires_ms: number;
  readonly sealed: string;
}

export const openKey = handler({
  name: 'open-key',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'key',
  process: (envelope, context) => {
    const { identity, event } = envelope;
    const body = event.body as unknown as KeyBody;
    context
      .statement('INSERT INTO key_delivery (event, key_id, device) VALUES (:event, :key_id, :device)')
      .run({
        event: rowNumberOf(context, identity, event.event_id),
        key_id: Uint8Array.fromHex(body.key_id),
        device: Uint8Array.fromHex(body.device_id),
      });
    const is_mine = body.device_id === context.scope(identity).me?.device_id;
    if (!is_mine) return advance(envelope);
    if (heldKey(context, identity, body.key_id) !== null || isErased(context, identity, body.key_id)) {
      noteExposure(identity, body, context);
      return advance(envelope);
    }
    if (!take(envelope, body, context)) return advance(envelope);
    const follows: Follow[] = takeReleasedBy(context, identity, body.key_id, envelope.cause).map(
      (waited) => ({
        envelope: waited,
      }),
    );
    return advance(envelope, { follows });
  },
});

/**
 * A key that is dirty or erased here came once more, by who has not heard of it, to a prekey that is still in use: it can be had from that until the prekey
 * has gone, too.
 */
function noteExposure(identity: number, body: KeyBody, context: HandlerContext): void {
  const key_id = Uint8Array.fromHex(body.key_id);
  const row = context
    .statement('SELECT 1 AS found FROM prekey_secret WHERE identity = :identity AND public_key = :public_key')
    .get({ identity, public_key: Uint8Array.fromHex(body.prekey) });
  if (row === undefined) return;
  context
    .statement(
      'UPDATE group_key SET exposed_ms = :now_ms WHERE identity = :identity AND id = :key_id AND exposed_ms IS NOT NULL',
    )
    .run({ identity, key_id, now_ms: context.now_ms });
  context
    .statement('UPDATE purge SET unreachable_ms = NULL WHERE whose = :identity AND key_id = :key_id')
    .run({ identity, key_id });
}

/** What could not be passed on is not kept either: an event lives ten years at the most, or for ever. */
const isExpiry = (expires_ms: number, now_ms: number): boolean =>
  expires_ms === NEVER_MS || (expires_ms > now_ms && expires_ms - now_ms <= limits.ttl_ms_max);

/** Opens and keeps the key. False, counted under a name, where that is not possible. */
function take({ identity, event }: ValidEnvelope, body: KeyBody, context: HandlerContext): boolean {
  const row = context
    .statement('SELECT slot FROM prekey_secret WHERE identity = :identity AND public_key = :public_key')
    .get({ identity, public_key: Uint8Array.fromHex(body.prekey) });
  if (row === undefined) {
    context.count('key_not_opened:prekey_unknown');
    return false;
  }
  const prekey_secret = readSlot(context, row.slot as number);
  const secret = openSealed(Uint8Array.fromHex(body.sealed), prekey_secret);
  wipe(prekey_secret);
  if (secret === null || secret.length !== 32) {
    context.count('key_not_opened:does_not_open');
    return false;
  }
  const key_for = {
    group_id: event.group_id ?? '',
    channel_id: body.channel_id,
    expires_ms: body.key_expires_ms,
  };
  const fits = keyIdOf(secret, key_for) === body.key_id && isExpiry(body.key_expires_ms, context.now_ms);
  if (fits) {
    const { n } = holdKey(context, identity, secret, key_for);
    if (isSaidToBeDirty(context, identity, body.key_id)) makeDirty(context, n);
  } else context.count('key_not_opened:is_another_key');
  wipe(secret);
  return fits;
}
