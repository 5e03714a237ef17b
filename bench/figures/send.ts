/** How fast somebody can speak: through the facade of a node in its own process, each message signed, sealed, checked, projected and on the disk. */
import { atLeast, type Bench, type Figure, type Run } from '../figure.ts';
import { BenchNode } from '../support/nodes.ts';

/** Messages that are there already. */
const HISTORY = 10_000;
/** Of each kind in one run; fewer where they take longer than `RUN_MS_MAX`. */
const MESSAGES = 1_000;
const RUN_MS_MAX = 15_000;
/** One after the other and bare commits take turns in blocks of this: what the disk is doing else slows both. */
const BLOCK = 50;
const AT_ONCE = 32;
const AT_ONCE_BLOCK = 10 * AT_ONCE;

async function* measure({ stores, folder }: Bench): AsyncGenerator<Run> {
  const data_dir = stores.copy(stores.solo(HISTORY));
  const node = await BenchNode.start({ data_dir });
  try {
    let said = HISTORY;
    for (;;) {
      let [sent, send_ms, bare_ms] = [0, 0, 0];
      while (sent < MESSAGES && send_ms < RUN_MS_MAX) {
        send_ms += await node.tell.sendSerial(said + sent, BLOCK);
        bare_ms += await node.tell.bareCommits(folder, BLOCK);
        sent += BLOCK;
      }
      said += sent;
      let [together, together_ms] = [0, 0];
      while (together < MESSAGES && together_ms < RUN_MS_MAX) {
        together_ms += await node.tell.sendConcurrent(said + together, AT_ONCE_BLOCK, AT_ONCE);
        together += AT_ONCE_BLOCK;
      }
      said += together;
      yield {
        send_serial_share: bare_ms / send_ms,
        send_serial_per_s: { value: (sent / send_ms) * 1_000, ceiling: (sent / bare_ms) * 1_000 },
        send_concurrent_per_s: (together / together_ms) * 1_000,
      };
    }
  } finally {
    await node.stop();
    stores.drop(data_dir);
  }
}

export const send: Figure = {
  values: {
    send_serial_share: {
      unit: 'share',
      what: 'messages sent one after the other, as a share of bare commits of one row, each waiting for the disk',
      target: atLeast(0.7),
    },
    send_serial_per_s: { unit: 'messages/s', what: 'the same by the second', target: null },
    send_concurrent_per_s: {
      unit: 'messages/s',
      what: `messages sent ${AT_ONCE} at once, each acknowledged when it is on the disk`,
      target: atLeast(5_000),
    },
  },
  measure,
};
