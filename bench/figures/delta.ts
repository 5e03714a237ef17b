/** What it costs two nodes with a long common history to give one of them ten new messages that were written while they were apart. */
import { atMost, type Bench, type Figure, type Run, SIZES, type Size } from '../figure.ts';
import { until, within } from '../support/clock.ts';
import { connectedPair, reconnected } from '../support/connected.ts';
import { forgetPeak, memoryMb, peakMb } from '../support/process.ts';
import { digits } from '../table.ts';

const NEW_MESSAGES = 10;
const SHOWN_MS_MAX = 120_000;
const TARGETS: Readonly<Record<Size, { ms: number; bytes: number }>> = {
  '10k': { ms: 45, bytes: 6_000 },
  '100k': { ms: 60, bytes: 7_000 },
  '1m': { ms: 120, bytes: 9_000 },
};

const figureOf = (size: Size): Figure => {
  const count = SIZES[size];
  const [took, bytes, memory] = [`delta_${size}_ms`, `delta_${size}_bytes`, `delta_${size}_rss_mb`];
  const [messages, handshake] = [`delta_${size}_frames`, `delta_${size}_handshake_bytes`];

  async function* measure(bench: Bench): AsyncGenerator<Run> {
    const connected = await connectedPair(bench, count);
    const { alice, bob, proxy } = connected;
    try {
      for (let said = count; ; said += NEW_MESSAGES) {
        proxy.cut();
        await untilApart(connected);
        await alice.tell.sendSerial(said, NEW_MESSAGES);
        await bob.tell.watch();
        const before_mb = [memoryMb(alice.pid), memoryMb(bob.pid)];
        for (const { pid } of [alice, bob]) forgetPeak(pid);
        proxy.reset();
        const shown = bob.tell.watched(NEW_MESSAGES);
        const opened_ms = await reconnected(connected);
        const shown_ms = await within('the new messages are shown', SHOWN_MS_MAX, shown);
        await connected.settled();
        const { counted } = proxy;
        yield {
          [took]: shown_ms - opened_ms,
          [bytes]: counted.bytes,
          [memory]: Math.max(...[alice, bob].map(({ pid }, at) => peakMb(pid) - before_mb[at]!)),
          [messages]: counted.messages,
          [handshake]: counted.handshake_bytes,
        };
      }
    } finally {
      await connected.close();
    }
  }

  const { ms, bytes: bytes_max } = TARGETS[size];
  return {
    values: {
      [took]: {
        unit: 'ms',
        what: `ten new among ${digits(count)}: from the opened session until they can be read`,
        target: atMost(ms),
      },
      [bytes]: {
        unit: 'bytes',
        what: 'of the session, both ways, events included',
        target: atMost(bytes_max),
      },
      [memory]: { unit: 'MB', what: 'more memory on either side', target: atMost(50) },
      [messages]: { unit: 'frames', what: 'of the session, both ways', target: null },
      [handshake]: { unit: 'bytes', what: 'of HTTP and the handshake before it, both ways', target: null },
    },
    measure,
  };
};

export const delta = (Object.keys(SIZES) as Size[]).map(figureOf);

async function untilApart({ alice, bob }: Awaited<ReturnType<typeof connectedPair>>): Promise<void> {
  const areApart = async () => {
    const all = (await Promise.all([alice, bob].map((node) => node.facade.peers({})))).flat();
    return all.every((peer) => peer.is_this_device || !peer.connected);
  };
  await until('both have noticed that they are apart', areApart);
}
