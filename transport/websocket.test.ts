/** Runs the transports' contract over WebSockets, and what only they can do wrong. */

import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Listener } from '../core/transport.ts';
import { describeTransport, type Recorded, recorded } from './transport.contract.ts';
import { websocketTransport } from './websocket.ts';

describe('websocket over IPv4', () => {
  describeTransport(() => {
    const transport = websocketTransport();
    return { dialler: transport, listener: transport, address: '127.0.0.1:0' };
  });
});

describe('websocket over IPv6', () => {
  describeTransport(() => {
    const transport = websocketTransport();
    return { dialler: transport, listener: transport, address: '[::1]:0' };
  });
});

describe('websocket', () => {
  let listener: Listener;
  afterEach(() => listener?.close());

  async function listening(options: Parameters<typeof websocketTransport>[0]) {
    const bobs: Recorded[] = [];
    listener = await websocketTransport(options).listen('127.0.0.1:0', (connection) =>
      bobs.push(recorded(connection)),
    );
    const opened = async (websocket: WebSocket) => {
      websocket.on('error', () => {});
      await new Promise((resolve) => websocket.once('open', resolve));
      while (bobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      return bobs[0]!;
    };
    return { url: `ws://${listener.address}`, opened };
  }

  test('a message above the limit ends the connection', async () => {
    const { url, opened } = await listening({ message_bytes_max: 1000 });
    const eve = new WebSocket(url);
    const bob = await opened(eve);
    eve.send(new Uint8Array(1000));
    eve.send(new Uint8Array(1001));
    await bob.closed();
    expect(bob.reasons).toEqual(['message_too_large']);
    expect(bob.messages).toHaveLength(1);
  });

  test('text ends the connection', async () => {
    const { url, opened } = await listening({});
    const eve = new WebSocket(url);
    const bob = await opened(eve);
    eve.send('hello');
    await bob.closed();
    expect(bob.reasons).toEqual(['not_our_protocol']);
    expect(bob.messages).toEqual([]);
  });

  test('what a peer gives as its reason is not repeated', async () => {
    const { url, opened } = await listening({});
    const eve = new WebSocket(url);
    const bob = await opened(eve);
    eve.close(1000, 'secret');
    await bob.closed();
    expect(bob.reasons).toEqual(['closed_by_peer']);
  });

  test('compression is not offered or accepted', async () => {
    const { url, opened } = await listening({});
    const eve = new WebSocket(url, { perMessageDeflate: true });
    await opened(eve);
    expect(eve.extensions).toBe('');
    eve.terminate();
  });

  test('a peer that answers no ping is dropped after two, one that answers stays', async () => {
    const { url, opened } = await listening({ ping_interval_ms: 20 });
    const silent = new WebSocket(url, { autoPong: false });
    let pings = 0;
    silent.on('ping', () => {
      pings += 1;
    });
    const bob = await opened(silent);
    await bob.closed();
    expect(bob.reasons).toEqual(['no_sign_of_life']);
    expect(pings).toBe(2);

    await listener.close();
    const again = await listening({ ping_interval_ms: 20 });
    const alive = await again.opened(new WebSocket(again.url));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(alive.reasons).toEqual([]);
  });

  test('a killed connection is lost, not closed', async () => {
    const { url, opened } = await listening({});
    const eve = new WebSocket(url);
    const bob = await opened(eve);
    eve.terminate();
    await bob.closed();
    expect(bob.reasons).toEqual(['connection_lost']);
  });

  test('dialling somebody who never answers ends with the timeout', async () => {
    const mute: Server = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const dialled = websocketTransport().dial(`127.0.0.1:${port}`, { timeout_ms: 50 });
    await expect(dialled).rejects.toMatchObject({ code: 'dial_failed' });
    mute.close();
  });

  test('a plain HTTP request is answered and does not delay closing', async () => {
    await listening({});
    expect((await fetch(`http://${listener.address}/`)).status).toBe(426);
  });

  test.each(['nowhere', 'host:', 'host:70000', '::1:80', 'host:80/path', 'user@host:80'])(
    '%s is no address',
    async (address) => {
      await expect(websocketTransport().dial(address, { timeout_ms: 50 })).rejects.toMatchObject({
        code: 'bad_address',
      });
    },
  );
});
