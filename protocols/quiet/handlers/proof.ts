/**
 * What the holder of an invite's key signs to prove it: this network and the device that joins, so that a proof is of no use to any other.
 */
import type { Id } from '../../../core/fields.ts';

const LABEL = new TextEncoder().encode('sotto invite proof v1\0');

export function proofMessage(network_id: Id, device_id: Id): Uint8Array {
  const message = new Uint8Array(LABEL.length + 64);
  message.set(LABEL);
  message.set(Uint8Array.fromHex(network_id), LABEL.length);
  message.set(Uint8Array.fromHex(device_id), LABEL.length + 32);
  return message;
}
