/** Frames open as they were sealed, in their order, or not at all. */

import { expect, test } from 'vitest';
import { frameOpener, frameSealer, frames_per_key_max } from './frame-cipher.ts';

const key = new Uint8Array(32).fill(5);
const frame = (text: string) => new TextEncoder().encode(text);

test('seals as RFC 8439 says, with the count as nonce', async () => {
  const { createCipheriv } = await import('node:crypto');
  const sealer = frameSealer(key);
  sealer.seal(frame('the first'));
  const sealed = sealer.seal(frame('the second'))!;
  const cipher = createCipheriv('chacha20-poly1305', key, Buffer.from('000000000100000000000000', 'hex'), {
    authTagLength: 16,
  });
  const expected = Buffer.concat([cipher.update('the second'), cipher.final(), cipher.getAuthTag()]);
  expect(Buffer.from(sealed).equals(expected)).toBe(true);
});

test('frames open in order, an empty one too', () => {
  const sealer = frameSealer(key);
  const opener = frameOpener(key);
  for (const text of ['one', '', 'three'])
    expect(opener.open(sealer.seal(frame(text))!)).toEqual(frame(text));
});

test('a changed, repeated, skipped, shortened or foreign frame does not open, nor does anything after it', () => {
  const sealer = frameSealer(key);
  const [first, second] = [sealer.seal(frame('one'))!, sealer.seal(frame('two'))!];
  const changed = first.slice();
  changed[3]! ^= 1;
  for (const wrong of [
    changed,
    second,
    first.subarray(1),
    new Uint8Array(15),
    frameSealer(key.slice().fill(6)).seal(frame('x'))!,
  ]) {
    const opener = frameOpener(key);
    expect(opener.open(wrong)).toBeNull();
    expect(opener.open(first)).toBeNull();
  }
  const opener = frameOpener(key);
  expect(opener.open(first)).not.toBeNull();
  expect(opener.open(first)).toBeNull();
  expect(opener.open(second)).toBeNull();
});

test('a key is used up in the end, and a destroyed cipher is of no use', () => {
  const sealer = frameSealer(key, frames_per_key_max - 1);
  const opener = frameOpener(key, frames_per_key_max - 1);
  const last = sealer.seal(frame('last'))!;
  expect(opener.open(last)).toEqual(frame('last'));
  expect(sealer.seal(frame('one too many'))).toBeNull();
  expect(opener.open(last)).toBeNull();

  const destroyed = frameSealer(key);
  destroyed.destroy();
  expect(destroyed.seal(frame('x'))).toBeNull();
});
