/** Two nodes with a history that agree, connected through a proxy that counts and can be cut. */
import type { Bench } from '../figure.ts';
import { nowMs, until, within } from './clock.ts';
import { BenchNode } from './nodes.ts';
import { CountingProxy } from './proxy.ts';
import { allAgree } from './syncing.ts';

/** Silence after which nothing more is under way: rounds of sync answer within milliseconds. */
const QUIET_MS = 400;
/** Nodes wait up to fifteen seconds before they dial again. */
const CONNECT_MS = 30_000;

export interface Connected {
  readonly alice: BenchNode;
  readonly bob: BenchNode;
  readonly proxy: CountingProxy;
  /** Resolves when both have a session again and have agreed. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Bob dials Alice, through the proxy; Alice dials nobody. Neither syncs because time has passed: only what a session and a message cause happens. */
export async function connectedPair({ stores }: Bench, count: number): Promise<Connected> {
  const pair = stores.copyPair(await stores.pair(count));
  const begun_ms = nowMs();
  const alice = await BenchNode.start({ data_dir: pair.alice, routes: { '*': null } });
  const proxy = await CountingProxy.open(alice.listen);
  const bob = await BenchNode.start({ data_dir: pair.bob, routes: { '*': proxy.address } });
  const connected: Connected = {
    alice,
    bob,
    proxy,
    settled: async () => {
      await allAgree([alice, bob]);
      await until('both are silent', () => proxy.quiet_ms > QUIET_MS);
    },
    close: async () => {
      await bob.stop();
      await alice.stop();
      await proxy.close();
      stores.drop(pair.alice);
      stores.drop(pair.bob);
    },
  };
  try {
    await within('the two are connected', CONNECT_MS, bob.tell.openedAfter(begun_ms));
    await connected.settled();
    for (const node of [alice, bob]) await node.facade.jobPause('sync_request');
    await connected.settled();
  } catch (thrown) {
    await connected.close();
    throw thrown;
  }
  return connected;
}

/** Mends what was cut, and resolves when both have a session again: with the earlier of the two moments in which they had it. */
export async function reconnected({ alice, bob, proxy }: Connected): Promise<number> {
  const mended_ms = nowMs();
  proxy.mend();
  const both = Promise.all([alice.tell.openedAfter(mended_ms), bob.tell.openedAfter(mended_ms)]);
  return Math.min(...(await within('the two are connected again', CONNECT_MS, both)));
}
