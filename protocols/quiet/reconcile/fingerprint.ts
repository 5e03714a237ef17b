/**
 * The SQL aggregate `fingerprint(id)`: what two peers compare instead of their ids. The sum of the ids modulo 2^256, little-endian, then the
 * varint of their number, under SHA-256, first 16 bytes (Negentropy protocol, version 1).
 */
import type { Db } from '../../../core/db.ts';
import { sha256 } from '../../../crypto/hash.ts';

interface Sum {
  readonly words: Uint32Array;
  count: number;
}

export function installFingerprint(db: Db): void {
  db.aggregate<Sum>('fingerprint', {
    start: () => ({ words: new Uint32Array(8), count: 0 }),
    step: (sum, id) => {
      if (id instanceof Uint8Array && id.length === 32) addInto(sum, id);
      return sum;
    },
    result: (sum) => finish(sum),
  });
}

function addInto(sum: Sum, id: Uint8Array): void {
  let carry = 0;
  for (let word = 0; word < 8; word++) {
    const at = word * 4;
    const value = id[at]! + id[at + 1]! * 0x100 + id[at + 2]! * 0x10000 + id[at + 3]! * 0x1000000;
    const total = sum.words[word]! + value + carry;
    sum.words[word] = total % 0x100000000;
    carry = total >= 0x100000000 ? 1 : 0;
  }
  sum.count += 1;
}

function finish(sum: Sum): Uint8Array {
  const bytes = new Uint8Array(32 + 8);
  const view = new DataView(bytes.buffer);
  sum.words.forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  const digits = [sum.count % 128];
  for (let rest = Math.floor(sum.count / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.push((rest % 128) | 0x80);
  bytes.set(digits.reverse(), 32);
  return sha256(bytes.subarray(0, 32 + digits.length)).subarray(0, 16);
}
