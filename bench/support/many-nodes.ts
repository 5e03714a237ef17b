/** A network of several nodes, each in a process of its own, connected in a shape. */
import { join } from 'node:path';
import { nowMs, until } from './clock.ts';
import { BenchNode } from './nodes.ts';
import { allAgree } from './syncing.ts';

const JOIN_MS_MAX = 120_000;
const CONNECT_MS_MAX = 60_000;

/** Whether node number `from` dials node number `to`; of two nodes only one does. */
export type Shape = (from: number, to: number) => boolean;
export const chain: Shape = (from, to) => from === to + 1;
export const mesh: Shape = (from, to) => from > to;

/** Where a dial of one node to the address of another goes: asked once for each that is dialed. */
export type Way = (address: string) => Promise<string>;

/**
 * Founds a network of `count` nodes in `folder`, and lets them find each other again in the shape. Each listens where it did while they joined, so
 * that nothing but the shape keeps anybody from dialing.
 */
export async function manyNodes(given: {
  readonly folder: string;
  readonly count: number;
  readonly shape: Shape;
  readonly way?: Way;
  readonly say: (text: string) => void;
}): Promise<BenchNode[]> {
  const { folder, count, shape, way, say } = given;
  const joined: BenchNode[] = [];
  const nodes: BenchNode[] = [];
  try {
    for (let number = 0; number < count; number++)
      joined.push(await BenchNode.start({ data_dir: join(folder, `node-${number}`) }));
    await founded(joined);
    say(`${count} nodes have joined`);
    const addresses = joined.map((node) => node.listen);
    for (const node of joined) await node.stop();
    for (const [number, { data_dir }] of joined.entries()) {
      const routes: Record<string, string | null> = { '*': null };
      for (const [to, address] of addresses.entries())
        if (shape(number, to)) routes[address] = (await way?.(address)) ?? address;
      nodes.push(await BenchNode.start({ data_dir, listen: addresses[number]!, routes }));
    }
    await connected(nodes, shape);
    await allAgree(nodes);
    return nodes;
  } catch (thrown) {
    for (const node of [...joined, ...nodes]) await node.stop();
    throw thrown;
  }
}

async function founded([founder, ...others]: readonly BenchNode[]): Promise<void> {
  await founder!.facade.createNetwork({ name: 'Bench', as: 'node-0' });
  const { link } = await founder!.facade.createInvite({ uses: others.length, ttl_ms: 3_600_000 });
  for (const [number, node] of others.entries())
    await node.facade.join({ link, as: `node-${number + 1}`, timeout_ms: JOIN_MS_MAX });
  await allAgree([founder!, ...others]);
}

async function connected(nodes: readonly BenchNode[], shape: Shape): Promise<void> {
  const wanted = nodes.map(
    (_, one) => nodes.filter((__, other) => shape(one, other) || shape(other, one)).length,
  );
  const begun = nowMs();
  const peersOf = async (node: BenchNode) =>
    (await node.facade.peers({})).filter((peer) => peer.connected && !peer.is_this_device).length;
  const areConnected = async () => {
    const peers = await Promise.all(nodes.map(peersOf));
    if (nowMs() - begun > CONNECT_MS_MAX - 1_000) throw new Error(`connected: ${peers}, expected ${wanted}`);
    return peers.every((number, at) => number === wanted[at]);
  };
  await until('all are connected as they are to be', areConnected, {
    timeout_ms: CONNECT_MS_MAX,
    every_ms: 250,
  });
}
