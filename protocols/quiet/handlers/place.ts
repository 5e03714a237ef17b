/**
 * The SQL function `place(device, owed, key)`: an order of devices that differs for everything that is owed, and is the same on every node. Of
 * many who could do a thing, the first in it does it, so that N peers do not do it N times.
 */
import type { Db } from '../../../core/db.ts';
import { blake2b256 } from '../../../crypto/hash.ts';

export function installPlace(db: Db): void {
  db.scalar('place', { deterministic: true }, (...parts) =>
    parts.every((part) => part instanceof Uint8Array) ? blake2b256(...(parts as Uint8Array[])) : null,
  );
}
