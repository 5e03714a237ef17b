/** What an inbox holds, hands over and drops. */

import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';
import { transport_limits } from './limits.ts';

const message = (number: number) => new Uint8Array([number]);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** An inbox somebody listens to, and what they were told. */
async function heard(inbox: Inbox): Promise<string[]> {
  const told: string[] = [];
  inbox.on_close = (reason) => told.push(reason);
  inbox.on_message = (bytes) => told.push(String(bytes[0]));
  expect(told).toEqual([]); // never in the turn in which the receiver is set
  await nextTurn();
  return told;
}

test('held messages come first and in order, then the end, once', async () => {
  const inbox = new Inbox();
  inbox.push(message(1));
  inbox.push(message(2));
  inbox.end('lost', false);
  inbox.push(message(3));
  inbox.end('lost again', false);
  const told = await heard(inbox);
  inbox.push(message(4));
  await nextTurn();
  expect(told).toEqual(['1', '2', 'lost']);
});

test('a message that comes while others are handed over does not overtake them', async () => {
  const inbox = new Inbox();
  inbox.push(message(1));
  const telling = heard(inbox);
  inbox.push(message(2));
  expect(await telling).toEqual(['1', '2']);
});

test('what is held is dropped when this side ends it', async () => {
  const inbox = new Inbox();
  inbox.push(message(1));
  inbox.end('closed', true);
  expect(await heard(inbox)).toEqual(['closed']);
});

test('holding is limited in number and in bytes, and free again once handed over', async () => {
  const many = new Inbox();
  for (let count = 0; count < transport_limits.held_messages_max; count += 1)
    expect(many.push(message(1))).toBe(true);
  expect(many.push(message(1))).toBe(false);

  const large = new Inbox();
  expect(large.push(new Uint8Array(transport_limits.held_bytes_max))).toBe(true);
  expect(large.push(message(1))).toBe(false);
  await heard(large);
  expect(large.push(message(1))).toBe(true);
});
