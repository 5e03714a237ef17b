/** What is said in measured networks. */

/** The channel that every network has from the start. */
export const CHANNEL = 'general';

/** Bytes of each message's text. */
export const TEXT_BYTES = 100;

/** The text of message number `n`: always of the same length, never twice the same. */
export function textOf(n: number): string {
  return `message ${n}, as people write them to each other every day of the week, and then some more besides`
    .padEnd(TEXT_BYTES, '.')
    .slice(0, TEXT_BYTES);
}
