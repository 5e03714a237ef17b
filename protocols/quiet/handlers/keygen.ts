/**
 * Makes keypairs (types with effect `keygen`). The secret of a device key goes into a key slot and stays there; the secret of an invite goes
 * to the caller of the command, once, and is not kept.
 */
import type { InstructionEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { emit } from '../../../core/outcome.ts';
import { signerFromSeed } from '../../../crypto/sign.ts';
import { fillSlot } from './key-slot.ts';

export const keygen = handler({
  name: 'keygen',
  takes: 'instruction',
  gives: [],
  accepts: (envelope) => envelope.draft.type.effect === 'keygen',
  process: (envelope, context) => {
    const seed = context.random.bytes(32);
    const signer = signerFromSeed(seed);
    const public_key = signer.public_key.slice();
    signer.destroy();
    context.draft_ids.set(envelope.draft, public_key.toHex());
    if (envelope.draft.body.purpose === 'invite') {
      return emit([], [{ effect: 'reply', value: { secret: seed, public_key: public_key.toHex() } }]);
    }
    const identity = insertIdentity(envelope, context, public_key, seed);
    seed.fill(0);
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
  return context
    .statement(
      'INSERT INTO identity (network_id, device, slot, created_ms) VALUES (:network_id, :device, :slot, :now_ms)',
    )
    .run({
      network_id: typeof network_id === 'string' ? Uint8Array.fromHex(network_id) : null,
      device,
      slot: fillSlot(context, seed, 'device'),
      now_ms: context.now_ms,
    }).last_insert_rowid;
}
