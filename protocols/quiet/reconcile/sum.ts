/**
 * Sums of ids modulo 2^256, as the Negentropy protocol adds them: 32 bytes, the lowest first. They can be taken back and put together, so that a
 * range's sum is made of its parts' sums.
 */

export type Sum = Uint8Array;

const LENGTH = 32;

export const noSum = (): Sum => new Uint8Array(LENGTH);

/** Adds `term` (`times` 1) to a sum in place, or takes it away (`times` -1). */
export function addTo(sum: Sum, term: Uint8Array, times: 1 | -1 = 1): void {
  let carry = 0;
  for (let at = 0; at < LENGTH; at++) {
    const total = sum[at]! + times * term[at]! + carry;
    sum[at] = total & 0xff;
    carry = total >> 8;
  }
}

/** Ids that a node of each level stands for at the most (see `sums.ts`); the last one stands for all. */
export const IDS_MAX = [64, 64 * 32, 64 * 32 * 32, 64 * 32 * 32 * 32, Number.POSITIVE_INFINITY] as const;
export const LEVELS = IDS_MAX.length;
