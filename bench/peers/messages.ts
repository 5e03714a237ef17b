/** The messages that all systems carry: 100 bytes each, none like the other, and of letters that compress little. */
import { createHash } from 'node:crypto';

/** 92 letters of base64; with the eight digits of the number that makes 100 bytes. */
const RANDOM_BYTES = 69;

/** The text of message `number`, always the same: 100 letters of ASCII. */
export function textOf(number: number): string {
  const letters = createHash('shake256', { outputLength: RANDOM_BYTES })
    .update(`message ${number}`)
    .digest('base64');
  return `${String(number).padStart(8, '0')}${letters}`;
}

export function textsOf(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => textOf(from + at));
}

/** Throws unless the texts are those of the messages from `from` on, all and in order. */
export function checkTexts(texts: readonly string[], from: number, count: number): void {
  if (texts.length !== count) throw new Error(`expected ${count} messages, ${texts.length} were shown`);
  const wrong = texts.findIndex((text, at) => text !== textOf(from + at));
  if (wrong >= 0) throw new Error(`message ${from + wrong} is shown as "${texts[wrong]?.slice(0, 20)}..."`);
}
