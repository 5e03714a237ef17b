import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { signerFromSeed } from '../crypto/sign.ts';
import { secureInitiator } from '../transport/noise.ts';
import { websocketTransport } from '../transport/websocket.ts';
import { hostileFrames, storedEvents } from './hostile.ts';
import { NodeProcess, until } from './process.ts';
import { foundNetwork, joinNetwork, TestNode, wire } from './support.ts';

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

/** Everything in the database but counters that only ever grow. */
function snapshot(node: TestNode): string {
  const tables = node.all(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('refused', 'session') ORDER BY name`,
  );
  return tables
    .map(({ name }) => JSON.stringify([name, node.all(`SELECT * FROM ${String(name)}`)]))
    .join('\n');
}

describe('10,000 hostile frames', () => {
  it('S3, F9, F17, F23: from a member change nothing, and every reason is named in the counters', () => {
    const alice = new TestNode();
    const mallory = new TestNode({ clock: alice.clock });
    const { channel_id } = foundNetwork(alice);
    joinNetwork(alice, mallory, 'mallory');
    wire(alice, mallory);
    alice.engine.command('send_message', 1, { channel_id, text: 'hello', ttl_ms: 0 });
    const before = snapshot(alice);
    const session = { session_id: 'hostile', device_id: mallory.engine.identity(1)?.device_id ?? '' };
    const silent: string[] = [];
    const counted = () => [...alice.engine.pipeline.counters.values()].reduce((sum, count) => sum + count, 0);
    for (const { kind, frame } of hostileFrames(storedEvents(alice), 10_000, 1)) {
      const count = counted();
      alice.engine.receive(1, session, frame);
      if (counted() === count) silent.push(kind);
    }
    expect(silent).toEqual([]);
    expect(snapshot(alice)).toBe(before);
    const reasons = [...alice.engine.pipeline.counters.keys()];
    for (const reason of [
      'rejected:malformed_cbor',
      'rejected:malformed_frame',
      'rejected:malformed_header',
      'rejected:malformed_body',
      'rejected:body_hash_differs',
      'rejected:bad_signature',
      'rejected:other_network',
      'rejected:local_type_from_network',
      'rejected:unsigned_event',
      'rejected:unknown_transient_type',
      'rejected:event_too_large',
      'failed:bad_reconciliation',
    ]) {
      expect(reasons).toContain(reason);
    }
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([{ text: 'hello' }]);
  }, 120_000);

  it('a real node stays up, serves others, and changes nothing, whether they come over a session or before any', async () => {
    const node = new NodeProcess('127.0.0.1:0');
    nodes.push(node);
    const { listen, pid } = await node.start();
    const { network_id, device_id } = await node.ask<{ network_id: string; device_id: string }>(
      'POST',
      '/networks',
      { name: 'Home', as: 'alice' },
    );
    await node.ask('POST', '/messages', { channel: 'general', text: 'still here' });
    const events = async () =>
      (await node.ask<{ networks: { events: number }[] }>('GET', '/status')).networks[0]?.events;
    const before = await events();

    const template = new TestNode();
    const { channel_id } = foundNetwork(template);
    template.engine.command('send_message', 1, { channel_id, text: 'bait', ttl_ms: 0 });
    const signer = signerFromSeed(new Uint8Array(32).fill(7));
    const connection = await websocketTransport().dial(listen, { timeout_ms: 5_000 });
    const local = { network_id: Uint8Array.fromHex(network_id), signer };
    const session = await secureInitiator(connection, local, Uint8Array.fromHex(device_id), {
      timeout_ms: 5_000,
    });
    let closed = false;
    session.on_close = () => {
      closed = true;
    };
    const refused = async () => {
      const { counters } = await node.ask<{ counters: Record<string, number> }>('GET', '/status');
      const named = Object.entries(counters).filter(([name]) => /^(rejected|failed):/.test(name));
      return named.reduce((sum, [, count]) => sum + count, 0);
    };
    let sent = 0;
    for (const { frame } of hostileFrames(storedEvents(template), 10_000, 2)) {
      session.send(frame);
      sent += 1;
      // A kind in sixteen is answered with silence: a stranger's response to what nobody asked. Paced, or the node would hang up on the flood.
      if (sent % 500 === 0)
        await until('the counters name what came', async () => closed || (await refused()) >= sent * 0.9);
    }
    // Before any handshake: bytes that are none.
    for (let index = 0; index < 50; index++) {
      const socket = new WebSocket(`ws://${listen}`);
      socket.on('error', () => undefined);
      socket.on('open', () => socket.send(new Uint8Array(index * 13).fill(index)));
    }
    expect(closed).toBe(false);
    expect(await events()).toBe(before);
    expect(await node.ask('GET', '/messages?channel=general')).toMatchObject([{ text: 'still here' }]);
    await node.ask('POST', '/messages', { channel: 'general', text: 'and writing' });
    expect(node.pid).toBe(pid);
    expect(node.output).not.toContain('still here');
    session.close();
  }, 120_000);
});
