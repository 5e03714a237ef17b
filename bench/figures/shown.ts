/** How long it takes from saying something until somebody else reads it, where both have nothing else to do. */
import { atMost, type Bench, type Figure, type Run } from '../figure.ts';
import { percentile } from '../line.ts';
import { nowMs, sleep, within } from '../support/clock.ts';
import { BenchNode } from '../support/nodes.ts';

const HISTORY = 10_000;
const SAMPLES = 200;
/** A run ends with fewer samples where they take long. */
const RUN_MS_MAX = 20_000;
const SHOWN_MS_MAX = 30_000;
/** Silence before each message, drawn anew: long enough for both to be idle, and in step with no timer. */
const IDLE_MS = { least: 20, more: 40 } as const;

async function* measure({ stores }: Bench): AsyncGenerator<Run> {
  const pair = stores.copyPair(await stores.pair(HISTORY));
  const begun_ms = nowMs();
  const alice = await BenchNode.start({ data_dir: pair.alice, routes: { '*': null } });
  const bob = await BenchNode.start({ data_dir: pair.bob, routes: { '*': alice.listen } });
  try {
    await within('the two are connected', SHOWN_MS_MAX, bob.tell.openedAfter(begun_ms));
    // Jobs that are due after a start, and the first round of sync.
    await sleep(5_000);
    for (let said = HISTORY; ; ) {
      const times: number[] = [];
      const run_ms = nowMs();
      while (times.length < SAMPLES && nowMs() - run_ms < RUN_MS_MAX) {
        await sleep(IDLE_MS.least + Math.random() * IDLE_MS.more);
        await bob.tell.watch();
        const shown = bob.tell.watched(1);
        const { asked_ms } = await alice.tell.sendOne(said++);
        times.push((await within('the message is shown', SHOWN_MS_MAX, shown)) - asked_ms);
      }
      yield {
        send_to_shown_p50_ms: percentile(times, 0.5),
        send_to_shown_p99_ms: percentile(times, 0.99),
        send_to_shown_samples: times.length,
      };
    }
  } finally {
    await bob.stop();
    await alice.stop();
    stores.drop(pair.alice);
    stores.drop(pair.bob);
  }
}

export const shown: Figure = {
  values: {
    send_to_shown_p50_ms: {
      unit: 'ms',
      what: 'from saying something until it is read on the other node, both idle: half of the messages',
      target: atMost(10),
    },
    send_to_shown_p99_ms: { unit: 'ms', what: 'the same, 99 of 100 messages', target: atMost(30) },
    send_to_shown_samples: { unit: 'messages', what: 'how many that was', target: null },
  },
  measure,
};
