/**
 * What a removed device is told before its connection ends: the removal itself, so that its owner learns of it, and nothing else.
 */
import { SottoError } from '../core/assert.ts';
import type { Engine } from '../core/engine.ts';
import type { Identity } from '../core/envelope.ts';
import { encodeEventItem, encodeFrame } from '../core/event-codec.ts';
import type { Id } from '../core/fields.ts';

interface RemovalRow {
  readonly header: string;
  readonly signature: string;
  readonly body: string;
}

/** One frame with the removals of a device from the network; null where there are none, or the protocol knows of no such thing. */
export function farewell(engine: Engine, identity: Identity, device_id: Id): Uint8Array | null {
  let rows: readonly RemovalRow[];
  try {
    rows = engine.query('get_removals_of_device', { device_id }, identity) as never;
  } catch (thrown) {
    if (thrown instanceof SottoError && thrown.code === 'unknown_query') return null;
    throw thrown;
  }
  if (rows.length === 0) return null;
  const bytes = (hex: string) => Uint8Array.fromHex(hex);
  return encodeFrame(
    rows.map(({ header, signature, body }) =>
      encodeEventItem({ header: bytes(header), signature: bytes(signature), body: bytes(body), wraps: [] }),
    ),
  );
}
