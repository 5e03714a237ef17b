/** Runs the transports' contract over WebSockets, and what only they can do wrong. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Connection, Listener } from '../core/transport.ts';
import { probation } from './probation.ts';
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

  describe('strangers', () => {
    const sockets: Socket[] = [];
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy();
    });

    /** A bare socket to the listener. Resolves once it is connected. */
    async function knocked(): Promise<Socket> {
      const socket = connect(Number(listener.address.split(':')[1]), '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      socket.resume();
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    }
    const ended = (socket: Socket) => socket.destroyed || socket.readableEnded;

    /** A listener that distrusts everybody, up to `bytes_max`. */
    async function wary(bytes_max: number, options: Parameters<typeof websocketTransport>[0] = {}) {
      const bobs: Recorded[] = [];
      listener = await websocketTransport(options).listen('127.0.0.1:0', (connection: Connection) => {
        probation(connection).distrust?.(bytes_max);
        bobs.push(recorded(connection));
      });
      const opened = async () => {
        const count = bobs.length;
        const eve = new WebSocket(`ws://${listener.address}`);
        eve.on('error', () => {});
        await new Promise((resolve) => eve.once('open', resolve));
        while (bobs.length === count) await new Promise((resolve) => setTimeout(resolve, 1));
        return { eve, bob: bobs[count]! };
      };
      return { opened, bobs };
    }

    test('what a distrusted connection sends is bounded in all, be it one message, many or none', async () => {
      const { opened } = await wary(1000);
      const large = await opened();
      large.eve.send(new Uint8Array(2 ** 20));
      const many = await opened();
      for (let count = 0; count < 5; count += 1) many.eve.send(new Uint8Array(300));
      const pinging = await opened();
      for (let count = 0; count < 100; count += 1) pinging.eve.ping(new Uint8Array(100));
      for (const { bob } of [large, many, pinging]) {
        await bob.closed();
        expect(bob.reasons).toEqual(['unproven_sends_too_much']);
      }
      expect(large.bob.messages).toEqual([]);
      expect(pinging.bob.messages).toEqual([]);
    });

    test('whoever proves itself by what it sends may send the rest at once', async () => {
      const { opened } = await wary(1000);
      const { eve, bob } = await opened();
      bob.connection.on_message = (message) => {
        probation(bob.connection).trust?.();
        bob.messages.push(message);
      };
      // In as few pieces as the network likes: some of the large one comes together with the first.
      eve.send(new Uint8Array(100));
      eve.send(new Uint8Array(2 ** 20));
      await bob.messageCount(2);
      expect(bob.reasons).toEqual([]);
    });

    test('a distrusted connection gets no time for a goodbye', async () => {
      const { opened, bobs } = await wary(1000);
      await opened();
      const silent = await knocked();
      silent.write(
        'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      while (bobs.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
      const began_ms = performance.now();
      bobs[1]!.connection.close('had_enough');
      while (!ended(silent)) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(performance.now() - began_ms).toBeLessThan(1000);
    });

    test('a socket that becomes no WebSocket is closed after two seconds, one that has become one is not', async () => {
      const { opened } = await wary(1000);
      const { eve, bob } = await opened();
      const silent = await knocked();
      const slow = await knocked();
      slow.write('GET / HTTP/1.1\r\n');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect([ended(silent), ended(slow)]).toEqual([false, false]);
      while (!ended(silent) || !ended(slow)) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(bob.reasons).toEqual([]);
      eve.send(new Uint8Array(1));
      await bob.messageCount(1);
    });

    test('too many sockets: those go first that have shown least, of these the oldest, and nobody who is trusted', async () => {
      const { opened, bobs } = await wary(1000, { connections_max: 6 });
      const trusted = await opened();
      probation(trusted.bob.connection).trust?.();
      const unproven = [await opened(), await opened()];
      const bare = [await knocked(), await knocked(), await knocked()];
      const open = () => bare.map((socket) => !ended(socket));

      bare.push(await knocked());
      while (open()[0] === true) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(open()).toEqual([false, true, true, true]);
      // One more WebSocket: it was a bare socket first.
      const third = await opened();
      while (open()[1] === true) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(open()).toEqual([false, false, true, true]);
      const more = [await opened(), await opened()];
      while (open()[3] === true) await new Promise((resolve) => setTimeout(resolve, 1));
      for (const { bob } of [trusted, ...unproven, third, ...more]) expect(bob.reasons).toEqual([]);
      // Now there are none but WebSockets.
      await knocked();
      await unproven[0]!.bob.closed();
      for (const { bob } of [trusted, unproven[1]!, third, ...more]) {
        expect(bob.reasons).toEqual([]);
        probation(bob.connection).trust?.();
      }
      const late = await knocked();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(ended(late)).toBe(false); // it took the place of the one that knocked before
      await opened();
      expect(ended(late)).toBe(true);
      probation(bobs.at(-1)!.connection).trust?.();
      const refused = await knocked();
      while (!ended(refused)) await new Promise((resolve) => setTimeout(resolve, 1));
      for (const { bob } of [trusted, unproven[1]!, third, ...more]) expect(bob.reasons).toEqual([]);
    });

    test('one that is saying goodbye goes before all others', async () => {
      const { opened } = await wary(1000, { connections_max: 2 });
      const [leaving, unproven] = [await opened(), await opened()];
      probation(leaving.bob.connection).trust?.();
      leaving.eve.pause(); // so that it never answers the goodbye
      leaving.bob.connection.close('had_enough');
      const third = await opened();
      expect([unproven.bob.reasons, third.bob.reasons]).toEqual([[], []]);
    });
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
