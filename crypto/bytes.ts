/** Bytes that are secret or unpredictable: made, compared and wiped here, always by libsodium. */

import { sodium } from './sodium.ts';

/** `length` unpredictable bytes from the operating system. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  sodium.randombytes_buf(bytes);
  return bytes;
}

/** Whether both hold the same bytes, in a time that tells nothing but their lengths. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && sodium.sodium_memcmp(left, right) === true;
}

/** Overwrites secrets in a way that no optimizer leaves out. */
export function wipe(...secrets: Uint8Array[]): void {
  for (const secret of secrets) sodium.sodium_memzero(secret);
}
