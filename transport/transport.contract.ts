/** What every transport must do alike. Each transport's test calls this with its own pair of nodes. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Connection, Listener, Transport } from '../core/transport.ts';

/** A connection whose messages and ends are written down. */
export function recorded(connection: Connection) {
  const record = {
    connection,
    messages: [] as Uint8Array[],
    reasons: [] as string[],
    /** Resolves as soon as `condition` holds; fails the test by its timeout. */
    async until(condition: () => boolean) {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    messageCount: (count: number) => record.until(() => record.messages.length >= count),
    closed: () => record.until(() => record.reasons.length > 0),
  };
  connection.on_message = (message) => record.messages.push(message);
  connection.on_close = (reason) => record.reasons.push(reason);
  return record;
}

export type Recorded = ReturnType<typeof recorded>;

/** A little longer than anything that is under way, to see that nothing more comes. */
export const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

/** @param nodes a fresh dialling and a fresh listening node, and an address to listen at, with port 0 */
export function describeTransport(
  nodes: () => { dialler: Transport; listener: Transport; address: string },
): void {
  const listeners: Listener[] = [];
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close();
  });

  /** Alice dials Bob; both are recorded. */
  async function connected() {
    const { dialler, listener: node, address } = nodes();
    const bobs: Recorded[] = [];
    const listener = await node.listen(address, (connection) => bobs.push(recorded(connection)));
    listeners.push(listener);
    const alice = recorded(await dialler.dial(listener.address, { timeout_ms: 2000 }));
    await alice.until(() => bobs.length > 0);
    return { alice, bob: bobs[0]!, bobs, listener, dialler };
  }

  const numbered = (number: number) => new Uint8Array(new Uint32Array([number]).buffer);
  const numbers = (messages: Uint8Array[]) =>
    messages.map((message) => new Uint32Array(message.slice().buffer)[0]);

  describe('messages', () => {
    test('10,000 arrive in order, both ways at once', async () => {
      const { alice, bob } = await connected();
      const sent = Array.from({ length: 10_000 }, (_, number) => number);
      for (const number of sent) {
        alice.connection.send(numbered(number));
        bob.connection.send(numbered(number * 2));
      }
      await Promise.all([alice.messageCount(10_000), bob.messageCount(10_000)]);
      expect(numbers(bob.messages)).toEqual(sent);
      expect(numbers(alice.messages)).toEqual(sent.map((number) => number * 2));
    });

    test('one of 1 MiB and an empty one arrive whole, as plain Uint8Array', async () => {
      const { alice, bob } = await connected();
      const large = new Uint8Array(2 ** 20).map((_, position) => position * 7);
      alice.connection.send(large);
      alice.connection.send(new Uint8Array(0));
      await bob.messageCount(2);
      expect(Buffer.from(bob.messages[0]!).equals(large)).toBe(true);
      expect(bob.messages[1]).toEqual(new Uint8Array(0));
      expect(bob.messages[0]!.constructor).toBe(Uint8Array);
    });

    test('what the listener says first is not lost', async () => {
      const { dialler, listener: node, address } = nodes();
      const listener = await node.listen(address, (connection) => {
        for (let number = 0; number < 100; number += 1) connection.send(numbered(number));
      });
      listeners.push(listener);
      const alice = recorded(await dialler.dial(listener.address, { timeout_ms: 2000 }));
      await alice.messageCount(100);
      expect(numbers(alice.messages)).toEqual(Array.from({ length: 100 }, (_, number) => number));
    });

    test('one above the limit is refused at the sender', async () => {
      const { alice } = await connected();
      expect(() => alice.connection.send(new Uint8Array(4 * 2 ** 20 + 1025))).toThrow(
        expect.objectContaining({ code: 'message_too_large' }),
      );
    });

    test('buffered_bytes rises with what is queued and falls to 0', async () => {
      const { alice, bob } = await connected();
      for (let count = 0; count < 16; count += 1) alice.connection.send(new Uint8Array(2 ** 20));
      expect(alice.connection.buffered_bytes).toBeGreaterThan(0);
      await bob.messageCount(16);
      await alice.until(() => alice.connection.buffered_bytes === 0);
    });
  });

  describe('the end', () => {
    test.each(['alice', 'bob'] as const)(
      'is seen once by both when %s closes, after what was sent before',
      async (who) => {
        const { alice, bob } = await connected();
        const [closer, other] = who === 'alice' ? [alice, bob] : [bob, alice];
        closer.connection.send(numbered(1));
        closer.connection.close('had_enough');
        closer.connection.close('had_enough_again');
        expect(closer.reasons).toEqual([]); // never in the same turn
        await Promise.all([alice.closed(), bob.closed()]);
        other.connection.close('too_late');
        await settle();
        expect(closer.reasons).toEqual(['had_enough']);
        expect(other.reasons).toEqual(['closed_by_peer']);
        expect(numbers(other.messages)).toEqual([1]);
      },
    );

    test('nothing is sent or received after it', async () => {
      const { alice, bob } = await connected();
      bob.connection.send(numbered(1));
      alice.connection.close();
      alice.connection.send(numbered(2));
      await Promise.all([alice.closed(), bob.closed()]);
      alice.connection.send(numbered(3));
      bob.connection.send(numbered(4));
      await settle();
      expect(alice.messages).toEqual([]);
      expect(bob.messages).toEqual([]);
    });
  });

  describe('listeners', () => {
    test('two of one node have ports of their own, and their own connections', async () => {
      const { dialler, listener: node, address } = nodes();
      const seen: string[] = [];
      for (const name of ['first', 'second']) {
        listeners.push(await node.listen(address, () => seen.push(name)));
      }
      const [first, second] = listeners;
      expect(first!.address).not.toBe(second!.address);
      for (const listener of listeners) expect(listener.address).toMatch(/:[1-9]\d*$/);
      const alice = recorded(await dialler.dial(second!.address, { timeout_ms: 2000 }));
      await alice.until(() => seen.length > 0);
      expect(seen).toEqual(['second']);
    });

    test('take many connections, and closing ends them all and refuses new ones', async () => {
      const { alice, bobs, listener, dialler } = await connected();
      const carol = recorded(await dialler.dial(listener.address, { timeout_ms: 2000 }));
      await carol.until(() => bobs.length === 2);
      await listener.close();
      await Promise.all([alice.closed(), carol.closed(), bobs[0]!.closed(), bobs[1]!.closed()]);
      expect([alice.reasons, carol.reasons]).toEqual([['closed_by_peer'], ['closed_by_peer']]);
      expect(bobs.map((bob) => bob.reasons)).toEqual([['listener_closed'], ['listener_closed']]);
      await expect(dialler.dial(listener.address, { timeout_ms: 500 })).rejects.toMatchObject({
        code: 'dial_failed',
      });
    });

    test('an address that is taken is refused', async () => {
      const { listener, dialler } = await connected();
      await expect(dialler.listen(listener.address, () => {})).rejects.toMatchObject({
        code: 'listen_failed',
      });
    });
  });

  test('dialling nobody is refused within the timeout', async () => {
    const { dialler } = nodes();
    const started_ms = performance.now();
    await expect(dialler.dial('127.0.0.1:9', { timeout_ms: 500 })).rejects.toMatchObject({
      code: 'dial_failed',
    });
    expect(performance.now() - started_ms).toBeLessThan(1000);
  });
}
