/**
 * What a removed device is told: the removal itself and what that rests on, so that its owner learns of it, and nothing else. One that is removed from the
 * network is told before its connection ends; one that is removed from a private group goes on, and would compare for ever what nobody shares with it
 * any more.
 */
import { SottoError } from '../core/assert.ts';
import type { Engine } from '../core/engine.ts';
import type { Identity } from '../core/envelope.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame } from '../core/frame-codec.ts';

interface RemovalRow {
  readonly header: string;
  readonly signature: string;
  readonly body: string;
}

export interface Farewell {
  readonly frame: Uint8Array;
  readonly removals: number;
}

/** One frame with the removals of a device from the network, or from private groups; null where there are none, or the protocol knows of no such thing. */
export function farewell(
  engine: Engine,
  identity: Identity,
  device_id: Id,
  from: 'network' | 'groups',
): Farewell | null {
  const query = from === 'network' ? 'get_removals_of_device' : 'get_group_removals_of_device';
  let rows: readonly RemovalRow[];
  try {
    rows = engine.query(query, { device_id }, identity) as never;
  } catch (thrown) {
    if (thrown instanceof SottoError && thrown.code === 'unknown_query') return null;
    throw thrown;
  }
  if (rows.length === 0) return null;
  const bytes = (hex: string) => Uint8Array.fromHex(hex);
  const items = rows.map(({ header, signature, body }) =>
    encodeEventItem({ header: bytes(header), signature: bytes(signature), body: bytes(body), wraps: [] }),
  );
  return { frame: encodeFrame(items), removals: rows.length };
}
