/**
 * A prekey: a public X25519 key of a device, to which group keys are sealed while the device may be away. Used by everybody who has something
 * for the device, as long as it lives: what everybody reads cannot be used once only.
 */
import { eventType } from '../../../../core/event-type.ts';
import { id } from '../../../../core/fields.ts';

const DAY_MS = 86_400_000;
export const PREKEY_TTL_MS = 7 * DAY_MS;
/** Below so many usable ones, so many are added. Usable: good for another day. */
export const PREKEYS_MIN = 10;
export const PREKEYS_ADDED = 20;
export const PREKEY_USABLE_MS = DAY_MS;

export const prekey = eventType({
  name: 'prekey',
  class: 'public',
  description: 'A key of a device to which group keys are sealed.',
  body: { public_key: id() },
});
