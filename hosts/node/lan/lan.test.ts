/** Peers on one LAN, which is the loopback interface here: real nodes, real multicast, a UDP port for each test. */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { randomBytes } from '../../../crypto/bytes.ts';
import type { SottoNode } from '../node.ts';
import { start, stop, temporaryFolder, until } from '../nodes.testing.ts';
import { linkAddress } from './addresses.ts';
import { announcementOf, recordsOf, SERVICE } from './announcement.ts';
import { Lan } from './lan.ts';
import { lan_limits } from './limits.ts';
import { ears, freeUdpPort, isGoodbye, mouth, nameIn, socketAt } from './multicast.testing.ts';

const random = { bytes: randomBytes };
const say = (node: SottoNode, text: string) => node.facade.send({ channel_ref: 'general', text, ttl_ms: 0 });
const read = (node: SottoNode) =>
  node.facade.read({ channel_ref: 'general', limit: 9 }).map(({ text }) => text);
const home = (node: SottoNode) => node.facade.status().networks[0]!;
const lanOf = (node: SottoNode) => node.facade.status().lan;
const are_connected = (...nodes: SottoNode[]) => nodes.every((node) => home(node).peers_connected === 1);

interface Friends {
  readonly alice: string;
  readonly bob: string;
  readonly network_id: string;
  readonly bobs_device: string;
}

/** Data directories of Alice and Bob, who were in one network, and are off. Their ports will be others when they come back. */
async function friends(): Promise<Friends> {
  const folders = { alice: join(temporaryFolder(), 'node'), bob: join(temporaryFolder(), 'node') };
  const alice = await start({ data_dir: folders.alice });
  const bob = await start({ data_dir: folders.bob });
  const { network_id } = alice.facade.createNetwork({ name: 'Home', as: 'alice' });
  const { link } = alice.facade.createInvite({ uses: 1, ttl_ms: 3_600_000 });
  await bob.facade.join({ link, as: 'bob', timeout_ms: 20_000 });
  // Each has heard where the other was: nobody looks for a device that never said so.
  await until('they have the same', () => read(bob).length === 0 && home(alice).events === home(bob).events);
  const bobs_device = home(bob).device_id;
  await Promise.all([stop(alice), stop(bob)]);
  return { ...folders, network_id, bobs_device };
}

describe('two nodes that are at other ports than they ever told each other', () => {
  it('find each other on the LAN, a message comes through, and who ends is known to have gone', async () => {
    const port = await freeUdpPort();
    const folders = await friends();
    const alice = await start({ data_dir: folders.alice, lan: { port } });
    const bob = await start({ data_dir: folders.bob, lan: { port } });
    await until('they are connected', () => are_connected(alice, bob));
    await say(alice, 'found you');
    await until('Bob has read it', () => read(bob).includes('found you'));
    expect(lanOf(alice)).toEqual({ on: true, found: 1, addresses: ['127.0.0.1'], problem: null });

    const began = performance.now();
    await stop(bob);
    expect(performance.now() - began).toBeLessThan(2_000);
    await until('Alice knows that he has gone', () => lanOf(alice).found === 0);
  });

  it('do not find each other where one of them does not look', async () => {
    const port = await freeUdpPort();
    const folders = await friends();
    const alice = await start({ data_dir: folders.alice, lan: { port } });
    const bob = await start({ data_dir: folders.bob });
    await pause(4_000);
    expect(are_connected(alice)).toBe(false);
    expect(lanOf(bob)).toEqual({ on: false, found: 0, addresses: [], problem: null });
  });

  it('find each other as well when the first has been alone for a while', async () => {
    const port = await freeUdpPort();
    const folders = await friends();
    const alice = await start({ data_dir: folders.alice, lan: { port } });
    await pause(5_000);
    const bob = await start({ data_dir: folders.bob, lan: { port } });
    await until('they are connected', () => are_connected(alice, bob));
  });

  it('find each other amid a flood of others', async () => {
    const port = await freeUdpPort();
    const folders = await friends();
    const eve = await mouth(port, '127.0.0.2');
    let flooding = true;
    let sent = 0;
    const flood = (async () => {
      for (; flooding; sent++) {
        const place = { host: '127.0.0.2', port: 1 + (sent % 60_000) };
        await eve.records(recordsOf(announcementOf(place, [], random, Date.now()), 'here'));
        await eve.question(SERVICE);
        if (sent % 20 === 0) await pause(5);
      }
    })();
    try {
      await until('it floods', () => sent > 500);
      const before = { sent, began: performance.now() };
      const alice = await start({ data_dir: folders.alice, lan: { port } });
      const bob = await start({ data_dir: folders.bob, lan: { port } });
      await until('they are connected', () => are_connected(alice, bob));
      const seconds = (performance.now() - before.began) / 1_000;
      expect((sent - before.sent) / seconds).toBeGreaterThan(3 * lan_limits.packets_per_second_max);
      expect([lanOf(alice).found, lanOf(bob).found]).toContain(1);
    } finally {
      flooding = false;
      await flood;
    }
  });
});

it('a newcomer finds who invited it, wherever that is by now', async () => {
  const port = await freeUdpPort();
  const data_dir = join(temporaryFolder(), 'node');
  const before = await start({ data_dir });
  before.facade.createNetwork({ name: 'Home', as: 'alice' });
  const { link } = before.facade.createInvite({ uses: 1, ttl_ms: 3_600_000 });
  await stop(before);
  const alice = await start({ data_dir, lan: { port } });
  const bob = await start({ lan: { port } });
  await bob.facade.join({ link, as: 'bob', timeout_ms: 20_000 });
  await until('they are connected', () => are_connected(alice, bob));
});

describe('a member who lies about where Bob is', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  it('has a node dial a few places at most, a few times each, and the network go on', async () => {
    const port = await freeUdpPort();
    const folders = await friends();
    const dialed = new Map<number, number>();
    const ports: number[] = [];
    for (let count = 0; count < 30; count++) {
      const server = createServer((socket) => {
        dialed.set(at, (dialed.get(at) ?? 0) + 1);
        socket.on('error', () => {});
        socket.destroy();
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.66', resolve));
      const at = (server.address() as { port: number }).port;
      ports.push(at);
    }
    const bob = [
      {
        network_id: Uint8Array.fromHex(folders.network_id),
        device_id: Uint8Array.fromHex(folders.bobs_device),
      },
    ];
    const alice = await start({ data_dir: folders.alice, lan: { port } });
    const eve = await mouth(port, '127.0.0.66');
    const lie = async () => {
      for (const at of ports) {
        await eve.records(
          recordsOf(announcementOf({ host: '127.0.0.66', port: at }, bob, random, Date.now()), 'here'),
        );
        await pause(100);
      }
    };
    await lie();
    await pause(1_000);
    expect(dialed.size).toBe(lan_limits.hints_per_device_max);
    await until('they are given up', () => lanOf(alice).found === 0);
    // Bob comes, and finds Alice, whatever she was told of him.
    const real_bob = await start({ data_dir: folders.bob, lan: { port } });
    await until('they are connected', () => are_connected(alice, real_bob));
    expect(dialed.size).toBe(lan_limits.hints_per_device_max);
    expect(Math.max(...dialed.values())).toBeLessThanOrEqual(lan_limits.failures_max);
  });
});

it('a system that says no ends no node, and is shown', async () => {
  const port = await freeUdpPort();
  await socketAt(port, { host: '0.0.0.0', shared: false });
  const alice = await start({ lan: { port } });
  alice.facade.createNetwork({ name: 'Home', as: 'alice' });
  await until('it is shown', () => lanOf(alice).problem !== null);
  expect(lanOf(alice)).toMatchObject({ on: true, found: 0, addresses: [] });
  expect(lanOf(alice).problem).toContain('EADDRINUSE');
  await say(alice, 'still here');
  expect(read(alice)).toEqual(['still here']);
});

it('a node that listens where no LAN is says so', async () => {
  const alice = await start({ listen: '127.0.0.9:0', lan: { port: await freeUdpPort() } });
  expect(lanOf(alice)).toMatchObject({ on: true, addresses: [] });
  expect(lanOf(alice).problem).toContain('private IPv4 address');
});

describe('as time goes by', () => {
  /** LAN discovery without a node; time passes as the test says, while timers run as ever. */
  async function story() {
    const port = await freeUdpPort();
    const passed = { monotonic_ms: 0, wall_ms: 0 };
    let here = ['127.0.0.1'];
    const lan = new Lan({
      clock: {
        wall_ms: () => Date.now() + passed.wall_ms,
        monotonic_ms: () => performance.now() + passed.monotonic_ms,
      },
      random,
      timers: {
        // The look every five seconds comes every half one.
        set: (run, delay_ms) => {
          const timer = setTimeout(run, delay_ms === lan_limits.check_every_ms ? 500 : delay_ms);
          return () => clearTimeout(timer);
        },
        soon: (run) => void setImmediate(run),
      },
      log: () => {},
      port,
      addresses: () => here.map((address) => linkAddress(address, `${address}/8`)),
    });
    const heard = await ears(port);
    await lan.start('127.0.0.1:4820');
    const names = () => [...new Set(heard.map(nameIn).filter((name) => name !== undefined))];
    await until('it is announced', () => names().length === 1);
    return { lan, heard, names, passed, move: (addresses: string[]) => (here = addresses) };
  }

  it('names are changed every hour', async () => {
    const { lan, heard, names, passed } = await story();
    passed.monotonic_ms = lan_limits.name_ms_max - 60_000;
    await pause(1_200);
    expect(names()).toHaveLength(1);
    passed.monotonic_ms = lan_limits.name_ms_max;
    await until('it has another name', () => names().length === 2);
    await until('the first has gone', () => heard.some((packet) => isGoodbye(packet)));
    expect(nameIn(heard.find(isGoodbye)!)).toBe(names()[0]);
    await lan.close();
  });

  it('who has slept announces itself anew', async () => {
    const { lan, names, passed } = await story();
    passed.wall_ms = 10 * 60_000;
    await until('it has another name', () => names().length === 2);
    await pause(1_200);
    expect(names()).toHaveLength(2);
    await lan.close();
  });

  it('interfaces come and go', async () => {
    const { lan, heard, names, move } = await story();
    move([]);
    await until('it has gone', () => lan.status().problem !== null);
    await until('it has said so', () => heard.some(isGoodbye));
    move(['127.0.0.1']);
    await until('it is back', () => names().length === 2 && lan.status().problem === null);
    expect(lan.status().addresses).toEqual(['127.0.0.1']);
    await lan.close();
  });
});
