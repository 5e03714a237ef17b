import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame } from '../core/frame-codec.ts';
import { limits } from '../core/limits.ts';
import { signerFromSeed } from '../crypto/sign.ts';
import { secureInitiator } from '../transport/noise.ts';
import { websocketTransport } from '../transport/websocket.ts';
import { forgeSealed, headerBy, hostileFrames, plaintextOf, signerOf, unknownKey } from './hostile.ts';
import { NodeProcess, until } from './process.ts';
import { foundNetwork, joinNetwork, TestNode, wire } from './support.ts';

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

/** Everything in the database but what only ever grows. */
function snapshot(node: TestNode, but: readonly string[] = []): string {
  const tables = node.all(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('refused', 'session') ORDER BY name`,
  );
  return tables
    .filter(({ name }) => !but.includes(String(name)))
    .map(({ name }) => JSON.stringify([name, node.all(`SELECT * FROM ${String(name)}`)]))
    .join('\n');
}

/** Alice's home with Mallory in it, who has read a message and is with Alice in a private group. */
function homeWithMallory(alice: TestNode, mallory: TestNode): { network_id: string; channel_id: string } {
  const home = foundNetwork(alice);
  joinNetwork(alice, mallory);
  wire(alice, mallory);
  const user = mallory.query<{ user_id: string }>('get_user_of_device', {
    device_id: mallory.engine.identity(1)?.device_id,
  })[0];
  alice.engine.command('create_group', 1, { name: 'plans', member_ids: [user?.user_id] });
  alice.engine.command('send_message', 1, { channel_id: home.channel_id, text: 'hello', ttl_ms: 0 });
  wire(alice, mallory);
  return home;
}

describe('10,000 hostile frames', () => {
  it('S3, F9, F17, F23: from a member change nothing, and every reason is named in the counters', () => {
    const alice = new TestNode();
    const mallory = new TestNode({ clock: alice.clock });
    const { channel_id } = homeWithMallory(alice, mallory);
    const before = snapshot(alice);
    const session = { session_id: 'hostile', device_id: mallory.engine.identity(1)?.device_id ?? '' };
    const silent: string[] = [];
    const counted = () => [...alice.engine.pipeline.counters.values()].reduce((sum, count) => sum + count, 0);
    for (const { kind, frame } of hostileFrames(mallory, 10_000, 1)) {
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
      'rejected:wrap_does_not_fit',
      'rejected:no_wrap_fits',
      'rejected:body_does_not_open',
      'rejected:sealed_for_nobody',
      'rejected:local_type_sealed',
      'rejected:public_type_sealed',
      'rejected:sealed_type_from_network',
      'rejected:transient_type_from_network',
      'rejected:public_and_sealed',
      'rejected:not_the_root',
      'rejected:header_not_wanted',
      'rejected:author_may_delete',
      'rejected:target_does_not_fit',
      'rejected:author_may_edit',
      'rejected:author_may_grant',
      'rejected:author_may_remove',
      'rejected:expires_in_time',
    ]) {
      expect(reasons).toContain(reason);
    }
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([{ text: 'hello' }]);
    expect(alice.query('get_waiting')).toEqual([]);
  }, 120_000);

  it('S17: under keys that nobody was given wait, within the quota of their author, and nothing else changes', () => {
    const alice = new TestNode();
    const mallory = new TestNode({ clock: alice.clock });
    const { network_id, channel_id } = homeWithMallory(alice, mallory);
    const but_waiting = ['waiting', 'waiting_for', 'waiting_wrap'];
    const before = snapshot(alice, but_waiting);
    const me = signerOf(mallory);
    const session = { session_id: 'hostile', device_id: me.public_key.toHex() };
    const more = limits.waiting_per_author_max + 100;
    for (let made = 0; made < more; made++) {
      const key = unknownKey(network_id, channel_id, new Uint8Array(32).fill(made % 7));
      const header = headerBy(me, network_id, {
        group_id: network_id,
        seq: 100 + made,
        created_ms: alice.clock.wall,
      });
      const { item } = forgeSealed(header, plaintextOf('message', { channel_id, text: `${made}` }), me, key);
      alice.engine.receive(1, session, encodeFrame([item]));
    }
    expect(snapshot(alice, but_waiting)).toBe(before);
    expect(alice.query('get_waiting')).toEqual([
      { rule: 'key_missing', waiting: limits.waiting_per_author_max },
    ]);
    expect(alice.engine.pipeline.counters.get('rejected:waiting_quota_of_author')).toBe(100);
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([{ text: 'hello' }]);
    // They go by themselves, and what comes then is read.
    alice.clock.pass(limits.waiting_ms_max + 1);
    while (alice.query('get_waiting').length > 0) alice.engine.instruct(1, 'test', 'release-waiting', {});
    mallory.engine.command('send_message', 1, { channel_id, text: 'sorry', ttl_ms: 0 });
    wire(alice, mallory);
    expect(alice.query('get_messages', { channel_id, limit: 5 })).toMatchObject([
      { text: 'sorry' },
      { text: 'hello' },
    ]);
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
    const mallory = new TestNode({ clock: template.clock });
    homeWithMallory(template, mallory);
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
    for (const { frame } of hostileFrames(mallory, 10_000, 2)) {
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
