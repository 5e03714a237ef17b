/**
 * The SQL functions behind what two peers compare instead of their ids: `id_sum(id, times)` adds up ids, or sums of them, and
 * `fingerprint(sum, count)` is the sum followed by the varint of the number of ids, under SHA-256, first 16 bytes (Negentropy protocol, version 1).
 */
import type { Db } from '../../../core/db.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { addTo, noSum, type Sum } from './sum.ts';

export function installFingerprint(db: Db): void {
  db.aggregate<Sum>('id_sum', {
    start: noSum,
    step: (sum, id, times) => {
      if (id instanceof Uint8Array && id.length === 32 && (times === 1 || times === -1))
        addTo(sum, id, times);
      return sum;
    },
    result: (sum) => sum,
  });
  db.scalar('fingerprint', { deterministic: true }, (sum, count) =>
    sum instanceof Uint8Array && typeof count === 'number' ? fingerprintOf(sum, count) : null,
  );
}

function fingerprintOf(sum: Sum, count: number): Uint8Array {
  const digits = [count % 128];
  for (let rest = Math.floor(count / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.push((rest % 128) | 0x80);
  return sha256(Uint8Array.from([...sum, ...digits.reverse()])).subarray(0, 16);
}
