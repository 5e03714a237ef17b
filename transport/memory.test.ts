/** Runs the transports' contract in memory, and cuts. */

import { describe, expect, test } from 'vitest';
import { memoryNetwork } from './memory.ts';
import { describeTransport, type Recorded, recorded, settle } from './transport.contract.ts';

describe('memory', () => {
  describeTransport(() => {
    const network = memoryNetwork();
    return { dialler: network.transport('alice'), listener: network.transport('bob'), address: 'bob:0' };
  });

  test('a cut ends what runs between two nodes and nothing else, until restored', async () => {
    const network = memoryNetwork();
    const bobs: Recorded[] = [];
    await network.transport('bob').listen('bob:1', (connection) => bobs.push(recorded(connection)));
    const dial = (name: string) => network.transport(name).dial('bob:1', { timeout_ms: 100 });
    const alice = recorded(await dial('alice'));
    const carol = recorded(await dial('carol'));

    alice.connection.send(new Uint8Array([1]));
    network.cut('bob', 'alice');
    await settle();
    expect(alice.reasons).toEqual(['connection_lost']);
    expect(bobs[0]!.reasons).toEqual(['connection_lost']);
    expect(bobs[0]!.messages).toEqual([]);
    expect(carol.reasons).toEqual([]);
    await expect(dial('alice')).rejects.toMatchObject({ code: 'dial_failed' });

    network.restore('alice', 'bob');
    await expect(dial('alice')).resolves.toBeDefined();
  });

  test('the sender may overwrite what it sent', async () => {
    const network = memoryNetwork();
    const bobs: Recorded[] = [];
    await network.transport('bob').listen('bob:1', (connection) => bobs.push(recorded(connection)));
    const alice = await network.transport('alice').dial('bob:1', { timeout_ms: 100 });
    const message = new Uint8Array([1]);
    alice.send(message);
    message[0] = 2;
    await settle();
    expect(bobs[0]!.messages).toEqual([new Uint8Array([1])]);
  });
});
