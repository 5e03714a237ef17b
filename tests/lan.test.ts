/** LAN discovery by the command line, between real processes on the loopback interface and the port of multicast DNS: on by `--lan`, and off. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { ears } from '../hosts/node/lan/multicast.testing.ts';
import { NodeProcess, sotto, until } from './process.ts';

const MULTICAST_DNS_PORT = 5353;

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

const ports: number[] = [];

async function started(data: string | undefined, ...args: string[]): Promise<NodeProcess> {
  const node = new NodeProcess('127.0.0.1:0', { args, ...(data === undefined ? {} : { data }) });
  nodes.push(node);
  const { listen } = await node.start();
  ports.push(Number(listen.slice(listen.lastIndexOf(':') + 1)));
  return node;
}

interface Status {
  readonly lan: { readonly on: boolean; readonly found: number };
  readonly networks: readonly { readonly peers_connected: number; readonly events: number }[];
}
const status = async (node: NodeProcess) =>
  JSON.parse((await sotto(node, 'status', '--json')).stdout) as Status;
const events = async (node: NodeProcess) => (await status(node)).networks[0]?.events;

/** The UDP sockets of a process, by what the kernel says of its open files. */
function udpSocketsOf(pid: number): string[] {
  const inodes = new Set(
    ['udp', 'udp6'].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
        .split('\n')
        .slice(1)
        .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`),
    ),
  );
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      const file = readlinkSync(`/proc/${pid}/fd/${name}`);
      return inodes.has(file) ? [file] : [];
    } catch {
      return []; // closed since
    }
  });
}

it('with --lan two nodes that have lost each other meet again; without it nothing is bound or sent', async () => {
  const heard = await ears(MULTICAST_DNS_PORT);
  // Others on this machine may use the port as well. Ours say where they listen: behind a priority and a weight of 0.
  const places = () => ports.map((port) => Buffer.from([0, 0, 0, 0, port >> 8, port & 255]));
  const about_us = () =>
    heard.filter(({ bytes }) => bytes.includes('_sotto') && places().some((place) => bytes.includes(place)));

  const [alice, bob] = [await started(undefined), await started(undefined)];
  await sotto(alice, 'network', 'create', 'Home', '--as', 'alice');
  const link = (await sotto(alice, 'invite', 'create')).stdout.match(/sotto:\/\/join\/\S+/)![0];
  expect(await sotto(bob, 'join', link, '--as', 'bob')).toMatchObject({ code: 0 });
  await sotto(alice, 'send', 'general', 'before');
  await until('they have the same', async () => (await events(alice)) === (await events(bob)));
  expect(udpSocketsOf(alice.pid)).toEqual([]);
  expect(udpSocketsOf(bob.pid)).toEqual([]);
  expect(about_us()).toEqual([]);
  expect((await sotto(bob, 'status')).stdout).toMatch(/^LAN +off; /m);
  await Promise.all([alice.end('SIGTERM'), bob.end('SIGTERM')]);

  // At other ports than before: neither can dial the other.
  const [lone_alice, lone_bob] = [await started(alice.data), await started(bob.data)];
  await pause(3_000);
  expect((await status(lone_alice)).networks[0]?.peers_connected).toBe(0);
  expect(about_us()).toEqual([]);
  expect(udpSocketsOf(lone_bob.pid)).toEqual([]);
  await Promise.all([lone_alice.end('SIGTERM'), lone_bob.end('SIGTERM')]);

  const [new_alice, new_bob] = [await started(alice.data, '--lan'), await started(bob.data, '--lan')];
  await until('they are connected', async () => (await status(new_alice)).networks[0]?.peers_connected === 1);
  await sotto(new_alice, 'send', 'general', 'met again');
  await until('Bob has read it', async () =>
    (await sotto(new_bob, 'read', 'general')).stdout.includes('met again'),
  );
  expect(udpSocketsOf(new_alice.pid)).toHaveLength(1);
  expect(about_us().length).toBeGreaterThanOrEqual(2);
  // Whoever heard of the other first has dialed: one of them may have found nobody yet, but is found.
  await until('each has found the other', async () => {
    const found = await Promise.all([status(new_alice), status(new_bob)]);
    return found.every(({ lan }) => lan.on && lan.found === 1);
  });
  expect((await sotto(new_bob, 'status')).stdout).toMatch(/^LAN +on at 127\.0\.0\.1; 1 device found$/m);
  expect(await new_bob.end('SIGTERM')).toBeLessThan(2_000);
  await until('he has gone', async () => (await status(new_alice)).lan.found === 0);
});
