/**
 * Makes keypairs (types with effect `keygen`). The secret of a device key or a prekey goes into a key slot and stays there; the secret of an
 * invite goes to the caller of the command, once, and is not kept. A prekey's secret is durable in the transaction that publishes the prekey.
 */
import type { InstructionEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { emit } from '../../../core/outcome.ts';
import { boxKeyPairFromSecret } from '../../../crypto/box.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { publicKeyOf } from '../../../crypto/sign.ts';
import { fillSlot } from './key-slot.ts';

export const keygen = handler({
  name: 'keygen',
  takes: 'instruction',
  gives: [],
  accepts: (envelope) => envelope.draft.type.effect === 'keygen',
  process: (envelope, context) => {
    const seed = context.random.bytes(32);
    const public_key = publicKeyOf(seed);
    context.draft_ids.set(envelope.draft, public_key.toHex());
    if (envelope.draft.body.purpose === 'invite') {
      return emit([], [{ effect: 'reply', value: { secret: seed, public_key: public_key.toHex() } }]);
    }
    if (envelope.draft.body.purpose === 'prekey') {
      const { public_key: prekey } = boxKeyPairFromSecret(seed);
      context.draft_ids.set(envelope.draft, prekey.toHex());
      const { identity } = envelope;
      context
        .statement(
          'INSERT INTO prekey_secret (identity, public_key, slot, created_ms) VALUES (:identity, :public_key, :slot, :now_ms)',
        )
        .run({
          identity,
          public_key: prekey,
          slot: fillSlot(context, identity, seed, 'prekey'),
          now_ms: context.now_ms,
        });
      wipe(seed);
      return emit([]);
    }
    const identity = insertIdentity(envelope, context, public_key, seed);
    wipe(seed);
    return emit(
      [],
      [
        { effect: 'reply', value: { identity, device_id: public_key.toHex() } },
        { effect: 'identities_changed' },
      ],
    );
  },
});

function insertIdentity(
  envelope: InstructionEnvelope,
  context: HandlerContext,
  device: Uint8Array,
  seed: Uint8Array,
): number {
  const { network_id } = envelope.draft.body;
  const identity = context
    .statement(
      'INSERT INTO identity (network_id, device, slot, created_ms) VALUES (:network_id, :device, :slot, :now_ms)',
    )
    .run({
      network_id: typeof network_id === 'string' ? Uint8Array.fromHex(network_id) : null,
      device,
      slot: 0,
      now_ms: context.now_ms,
    }).last_insert_rowid;
  const slot = fillSlot(context, identity, seed, 'device');
  context.statement('UPDATE identity SET slot = :slot WHERE identity = :identity').run({ identity, slot });
  return identity;
}
