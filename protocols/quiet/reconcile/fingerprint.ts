/**
 * What two peers compare instead of their ids: the sum of the ids followed by the varint of their number, under SHA-256, first 16 bytes (Negentropy
 * protocol, version 1). The SQL function `id_sum(id, times)` adds up ids, or sums of them.
 */
import type { Db } from '../../../core/db.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { addTo, noSum, type Sum } from './sum.ts';

export function installSums(db: Db): void {
  db.aggregate<Sum>('id_sum', {
    start: noSum,
    step: (sum, id, times) => {
      if (id instanceof Uint8Array && id.length === 32 && (times === 1 || times === -1))
        addTo(sum, id, times);
      return sum;
    },
    result: (sum) => sum,
  });
}

/** In hex. */
export function fingerprintOf(sum: Sum, count: number): string {
  const digits = [count % 128];
  for (let rest = Math.floor(count / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.push((rest % 128) | 0x80);
  return sha256(Uint8Array.from([...sum, ...digits.reverse()]))
    .subarray(0, 16)
    .toHex();
}
