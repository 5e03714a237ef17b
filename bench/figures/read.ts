/** How fast a channel opens that a million messages are in: its newest page, with reactions, while somebody goes on writing in it. */
import { atMost, type Bench, type Figure, type Run, SIZES } from '../figure.ts';
import { percentile } from '../line.ts';
import { nowMs } from '../support/clock.ts';
import { BenchNode } from '../support/nodes.ts';
import { digits } from '../table.ts';

const HISTORY = SIZES['1m'];
const PAGE = 50;
const READS = 500;
/** Reads between looks at the clock: a run ends with fewer of them where they, or what is said in between, take long. */
const BLOCK = 10;
const RUN_MS_MAX = 30_000;

async function* measure({ stores, say }: Bench): AsyncGenerator<Run> {
  const data_dir = stores.copy(stores.solo(HISTORY));
  const node = await BenchNode.start({ data_dir });
  try {
    let said = HISTORY;
    const read = async (count: number) => {
      const times = await node.tell.readPages(said, count, PAGE);
      said += count;
      return times;
    };
    say('every message of the page gets its reactions');
    await read(PAGE);
    for (;;) {
      const times: number[] = [];
      for (const begun = nowMs(); times.length < READS && nowMs() - begun < RUN_MS_MAX; )
        times.push(...(await read(BLOCK)));
      yield {
        read_page_p99_ms: percentile(times, 0.99),
        read_page_p50_ms: percentile(times, 0.5),
        read_page_samples: times.length,
      };
    }
  } finally {
    await node.stop();
    stores.drop(data_dir);
  }
}

export const read: Figure = {
  values: {
    read_page_p99_ms: {
      unit: 'ms',
      what: `the newest ${PAGE} messages with their reactions, opened, in a channel of ${digits(HISTORY)}: 99 of 100 reads`,
      target: atMost(5),
    },
    read_page_p50_ms: { unit: 'ms', what: 'the same, half of the reads', target: null },
    read_page_samples: { unit: 'reads', what: 'how many that was', target: null },
  },
  measure,
};
