/** What the comparison with other systems measures with: a proxy that counts every byte and changes none, and messages that are compared one by one. */
import { connect, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openCountingProxy } from '../bench/peers/counting-proxy.ts';
import { listenOn } from '../bench/peers/listen.ts';
import { checkTexts, textOf, textsOf } from '../bench/peers/messages.ts';

describe('the counting proxy', () => {
  it('passes on every byte of both directions, unchanged, and counts them', async () => {
    const asked = Buffer.alloc(3_000_000, 'question');
    const answered = Buffer.alloc(5_000_000, 'answer');
    const received: Buffer[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.on('end', () => socket.end(answered));
    });
    const proxy = await openCountingProxy(await listenOn(server));
    const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    client.end(asked);
    const answer = await buffer(client);
    expect(answer.equals(answered)).toBe(true);
    expect(Buffer.concat(received).equals(asked)).toBe(true);
    expect(proxy.bytes()).toBe(asked.length + answered.length);
    proxy.close();
    server.close();
  });

  it('is quiet once nothing has passed for as long as is asked, and not before', async () => {
    const server = createServer((socket) => {
      setTimeout(() => socket.write('late'), 100);
    });
    const proxy = await openCountingProxy(await listenOn(server));
    const client = connect(proxy.port, '127.0.0.1');
    client.write('a');
    await proxy.quiet(400, 5_000);
    expect(proxy.bytes()).toBe(5);
    client.destroy();
    proxy.close();
    server.close();
  });
});

describe('the messages', () => {
  it('have 100 bytes each and are all different', () => {
    const texts = textsOf(0, 2_000);
    expect(new Set(texts).size).toBe(2_000);
    expect(texts.every((text) => Buffer.byteLength(text) === 100)).toBe(true);
  });

  it('are refused when one is missing, doubled, altered or out of order', () => {
    const right = textsOf(5, 4);
    checkTexts(right, 5, 4);
    const [one, two, three, four] = right as [string, string, string, string];
    for (const wrong of [
      [one, two, three],
      [one, two, two, four],
      [one, three, two, four],
      [one, two, three, `${four.slice(0, -1)}!`],
      [one, two, three, textOf(9)],
    ])
      expect(() => checkTexts(wrong, 5, 4)).toThrow();
  });
});
