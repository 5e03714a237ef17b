/** What a node costs that has nothing to do: it has a history and a session with a peer with whom it agrees, and its jobs run as scheduled. */
import { atMost, type Bench, type Figure, type Run } from '../figure.ts';
import { nowMs, sleep, within } from '../support/clock.ts';
import { BenchNode } from '../support/nodes.ts';
import { cpuMs } from '../support/process.ts';
import { digits } from '../table.ts';

const HISTORY = 10_000;
const WATCHED_MS = 30_000;
const CONNECT_MS = 30_000;
/** After a start: what was owed is done, the compiler has compiled. */
const SETTLE_MS = 15_000;

async function* measure({ stores, say }: Bench): AsyncGenerator<Run> {
  const pair = stores.copyPair(await stores.pair(HISTORY));
  const begun_ms = nowMs();
  const alice = await BenchNode.start({ data_dir: pair.alice, routes: { '*': null } });
  const bob = await BenchNode.start({ data_dir: pair.bob, routes: { '*': alice.listen } });
  try {
    await within('the two are connected', CONNECT_MS, bob.tell.openedAfter(begun_ms));
    say('two nodes come to rest');
    await sleep(SETTLE_MS);
    for (;;) {
      const [since_ms, before] = [nowMs(), [cpuMs(alice.pid), cpuMs(bob.pid)]];
      await sleep(WATCHED_MS);
      const passed_ms = nowMs() - since_ms;
      const used = [cpuMs(alice.pid), cpuMs(bob.pid)].map((now, at) => (now - before[at]!) / passed_ms);
      yield { idle_cpu_percent: 100 * Math.max(...used) };
    }
  } finally {
    await bob.stop();
    await alice.stop();
    stores.drop(pair.alice);
    stores.drop(pair.bob);
  }
}

export const idle: Figure = {
  values: {
    idle_cpu_percent: {
      unit: '%',
      what: `of a core that an idle node with ${digits(HISTORY)} messages and a connected peer takes, over ${WATCHED_MS / 1_000} s`,
      target: atMost(0.1),
    },
  },
  measure,
};
