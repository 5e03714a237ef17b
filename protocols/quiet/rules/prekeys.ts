/** New prekeys of this device: each a keypair whose secret stays in a key slot, and the event that advertises its public half. */
import { type Envelope, event, idOf, instruct } from '../../../core/envelope.ts';
import { keypair } from '../events/keypair/schema.ts';
import { PREKEY_TTL_MS, PREKEYS_ADDED, prekey } from '../events/prekey/schema.ts';

export function newPrekeys(): Envelope[] {
  return Array.from({ length: PREKEYS_ADDED }, () => {
    const secret = instruct(keypair, { purpose: 'prekey', network_id: null });
    return [secret, event(prekey, { public_key: idOf(secret) }, { ttl_ms: PREKEY_TTL_MS })];
  }).flat();
}
