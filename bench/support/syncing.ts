/** An empty node that joins one with a history and fetches it all: what the figures of sync measure, and where pairs that agree come from. */
import { existsSync } from 'node:fs';
import { openNodeSqliteToRead } from '../../storage/node-sqlite.ts';
import { nowMs, sleep, until } from './clock.ts';
import { BenchNode } from './nodes.ts';
import { forgetPeak, peakMb } from './process.ts';
import { CHANNEL, TEXT_BYTES } from './texts.ts';

/** A sync that takes in nothing for so long has failed. */
const STALLED_MS = 120_000;
const LOOK_EVERY_MS = 10;
const SAY_EVERY_MS = 20_000;
/** Messages that are read at the end: they are there, whole, and in their place. */
const READ_BACK = 50;

export interface Synced {
  /** From the moment in which the empty node is told to join until it shows every message. */
  readonly took_ms: number;
  /** How much of it passed before it had been let in. */
  readonly joined_ms: number;
  /** The most memory that the receiver had. */
  readonly receiver_peak_mb: number;
  /** Alice and Bob, still running and connected. */
  readonly nodes: readonly [BenchNode, BenchNode];
}

/** @param count messages that Alice has */
export async function syncEmptyPeer(given: {
  readonly alice: string;
  readonly bob: string;
  readonly count: number;
  readonly say: (text: string) => void;
}): Promise<Synced> {
  const { count, say } = given;
  const alice = await BenchNode.start({ data_dir: given.alice });
  const bob = await BenchNode.start({ data_dir: given.bob });
  const { link } = await alice.facade.createInvite({ uses: 1, ttl_ms: 3_600_000 });
  forgetPeak(bob.pid);
  const begun = nowMs();
  let joined_ms = 0;
  const joined = bob.facade.join({ link, as: 'bob', timeout_ms: 600_000 }).then(() => {
    joined_ms = nowMs() - begun;
  });
  const done_ms = await allThere(bob.database, count, { say });
  await joined;
  const receiver_peak_mb = peakMb(bob.pid);
  const limit = Math.min(READ_BACK, count);
  const page = await bob.facade.read({ channel_ref: CHANNEL, limit });
  if (page.length !== limit || page.some(({ text }) => text.length !== TEXT_BYTES))
    throw new Error(`expected to read the last ${limit} messages, got ${page.length}`);
  return { took_ms: done_ms - begun, joined_ms, receiver_peak_mb, nodes: [alice, bob] };
}

/**
 * When `count` messages are in a node's database, by `nowMs`: a reader beside the node looks, so that the node is not asked meanwhile.
 *
 * @param say told every now and then how many are there
 */
export async function allThere(
  database: string,
  count: number,
  { every_ms = LOOK_EVERY_MS, say = () => {} }: { every_ms?: number; say?: (text: string) => void } = {},
): Promise<number> {
  while (!existsSync(database)) await sleep(LOOK_EVERY_MS);
  const db = openNodeSqliteToRead(database);
  try {
    // Row numbers are never below the number of rows: as long as the highest is too low, nothing needs to be counted.
    const highest = db.prepareRead('SELECT max(event) AS n FROM message');
    const counted = db.prepareRead('SELECT count(*) AS n FROM message');
    let [last, last_ms, said_ms] = [-1, nowMs(), nowMs()];
    for (;;) {
      const top = (highest.all({})[0]?.n as number | null) ?? 0;
      const there = top < count ? top : (counted.all({})[0]?.n as number);
      if (top >= count && there >= count) return nowMs();
      if (there !== last) [last, last_ms] = [there, nowMs()];
      if (nowMs() - last_ms > STALLED_MS)
        throw new Error(`nothing came for ${STALLED_MS / 1000} s: ${there} of ${count} messages are there`);
      if (nowMs() - said_ms > SAY_EVERY_MS) {
        said_ms = nowMs();
        say(`${there} of ${count} messages are there`);
      }
      await sleep(every_ms);
    }
  } finally {
    db.close();
  }
}

/** Waits until all have the same number of events, and none of them waits for anything. */
export async function allAgree(nodes: readonly BenchNode[]): Promise<void> {
  const stateOf = async (node: BenchNode) => {
    const [network] = (await node.facade.status()).networks;
    return network === undefined || network.waiting > 0 ? -1 : network.events;
  };
  const doAgree = async () => {
    const events = await Promise.all(nodes.map(stateOf));
    return events[0]! > 0 && events.every((each) => each === events[0]);
  };
  await until('all nodes have the same events', doAgree, { every_ms: 250, timeout_ms: 300_000 });
}
