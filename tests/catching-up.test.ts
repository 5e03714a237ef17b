/** A newcomer to a network in which much was said: reads the newest at once, and sees how far the past is. Real processes, real history. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Stores } from '../bench/support/stores.ts';
import { CHANNEL, textOf } from '../bench/support/texts.ts';
import { NodeProcess, sotto, until } from './process.ts';
import { temporaryFolder } from './support.ts';

const HISTORY = 6_000;
const PAGE = 50;

interface Network {
  readonly name: string | null;
  readonly events: number;
  readonly catching_up: {
    readonly events_left: number;
    readonly events_total: number;
    readonly time_left_ms: number | null;
  } | null;
}

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

async function started(data: string): Promise<NodeProcess> {
  const node = new NodeProcess('127.0.0.1:0', { data });
  nodes.push(node);
  await node.start();
  return node;
}

it('is in and reads the newest while the past arrives, and is told how far that is until it is there', async () => {
  const folder = temporaryFolder();
  const stores = new Stores(folder, () => {});
  const alice = await started(stores.solo(HISTORY));
  const bob = await started(join(folder, 'bob'));
  const { link } = await alice.ask<{ link: string }>('POST', '/invites', {});
  const networkOf = async (node: NodeProcess) =>
    (await node.ask<{ networks: Network[] }>('GET', '/status')).networks[0];

  let is_over = false;
  const joining = sotto(bob, 'join', link, '--as', 'bob', '--wait', '--json').then((ran) => {
    is_over = true;
    return ran;
  });
  const told: NonNullable<Network['catching_up']>[] = [];
  let read_with_left = 0;
  let named_with_left = 0;
  for (; !is_over; await sleep(20)) {
    const network = await networkOf(bob);
    const view = network?.catching_up ?? null;
    if (network === undefined || view === null) continue;
    told.push(view);
    if (named_with_left === 0 && network.name !== null) named_with_left = view.events_left;
    if (read_with_left > 0) continue;
    const page = await bob
      .ask<{ text: string }[]>('GET', `/messages?channel=${CHANNEL}&limit=${PAGE}`)
      .catch(() => []);
    // The newest of all, whole, while most is still to come.
    if (page.length === PAGE && page.at(-1)?.text === textOf(HISTORY - 1)) read_with_left = view.events_left;
  }
  const { code, stdout, stderr } = await joining;
  expect({ code, joined: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    joined: { user_id: expect.any(String) },
  });
  expect(stderr).toMatch(/^catching up: [\d,]+ of [\d,]+ events to go.*\n[\s\S]*\d+ events are here\.\n$/);

  const lefts = told.map(({ events_left }) => events_left);
  expect(new Set(lefts).size).toBeGreaterThan(3);
  expect(lefts).toEqual(lefts.toSorted((one, other) => other - one));
  for (const { events_left, events_total } of told) {
    expect(events_left).toBeGreaterThan(0);
    expect(events_left).toBeLessThanOrEqual(events_total);
    expect(events_total).toBeLessThanOrEqual(HISTORY + 100);
  }
  expect(told.at(-1)?.time_left_ms).toBeGreaterThan(0);
  expect(read_with_left).toBeGreaterThan(HISTORY / 2);
  expect(named_with_left).toBeGreaterThan(HISTORY / 2);

  await until('all of it is there', async () => ((await networkOf(bob))?.events ?? 0) > HISTORY);
  await until('nothing is told any more', async () => (await networkOf(bob))?.catching_up === null);
  expect((await sotto(bob, 'status')).stdout).not.toContain('catching up');
}, 120_000);
