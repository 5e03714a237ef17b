/**
 * One group key for one device, sealed to one of its prekeys. It is for the group (header), and dies with the key. The key's id is a hash of the
 * key and of what this says about it, so that whoever opens it can tell that it is true.
 */
import { eventType } from '../../../../core/event-type.ts';
import { bytes, id, time_ms } from '../../../../core/fields.ts';

export const key = eventType({
  name: 'key',
  class: 'public',
  description: 'Gives one group key to one device.',
  effect: 'key',
  body: {
    key_id: id(),
    device_id: id(),
    prekey: id(),
    /** The channel whose events it seals; null: what belongs to no channel. */
    channel_id: id().nullable(),
    key_expires_ms: time_ms(),
    sealed: bytes(80),
  },
});
