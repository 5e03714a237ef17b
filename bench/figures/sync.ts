/** How fast a history comes to a node that has nothing: two processes, the newcomer joins by a link and fetches, checks and opens everything. */
import { atLeast, atMost, type Bench, type Figure, type Run, SIZES, type Size } from '../figure.ts';
import { ceilingOf, messagesIn } from '../support/ceiling.ts';
import { allAgree, syncEmptyPeer } from '../support/syncing.ts';
import { digits } from '../table.ts';

/** What the ceiling is measured with at the most: it is as fast at ten times as many, and they have to be in memory. */
const CEILING_MESSAGES_MAX = 100_000;
/** Of the rate at ten thousand that has to be kept at more. */
const KEPT = 0.8;
const RATE = 9_000;
const SHARE = 0.6;

const figureOf = (size: Size): Figure => {
  const count = SIZES[size];
  const kept = size === '10k' ? 1 : KEPT;
  const rate = `sync_${size}_messages_per_s`;
  const share = `sync_${size}_ceiling_share`;
  const memory = `sync_${size}_receiver_rss_mb`;
  const joined = `sync_${size}_joined_ms`;

  async function* measure({ stores, folder, say }: Bench): AsyncGenerator<Run> {
    const history = stores.solo(count);
    const messages = messagesIn(`${history}/sotto.db`, Math.min(count, CEILING_MESSAGES_MAX));
    for (;;) {
      const ceiling = await ceilingOf(messages, folder);
      say(`the bare receive path takes in ${Math.round(ceiling)} messages/s`);
      const pair = { alice: stores.copy(history), bob: stores.empty() };
      const synced = await syncEmptyPeer({ ...pair, count, say });
      await allAgree(synced.nodes);
      for (const node of synced.nodes) await node.stop();
      stores.keepPair(count, pair);
      const per_s = (count / synced.took_ms) * 1_000;
      yield {
        [rate]: { value: per_s, ceiling },
        [share]: per_s / ceiling,
        [memory]: synced.receiver_peak_mb,
        [joined]: synced.joined_ms,
      };
    }
  }

  return {
    values: {
      [rate]: {
        unit: 'messages/s',
        what: `${digits(count)} messages to a node that has nothing, from the moment it is told to join`,
        target: atLeast(RATE * kept),
      },
      [share]: {
        unit: 'share',
        what: 'the same as a share of the bare receive path',
        target: atLeast(SHARE * kept),
      },
      [memory]: { unit: 'MB', what: 'the most memory that the receiver had', target: atMost(150) },
      [joined]: { unit: 'ms', what: 'until it had been let in and had its name', target: null },
    },
    measure,
  };
};

export const sync = (Object.keys(SIZES) as Size[]).map(figureOf);
