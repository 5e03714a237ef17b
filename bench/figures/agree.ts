/** What two nodes that agree say to each other, and what it costs them to find out that they do. */
import { atMost, type Bench, type Figure, type Run, SIZES, type Size } from '../figure.ts';
import { nowMs, sleep } from '../support/clock.ts';
import { connectedPair } from '../support/connected.ts';
import { cpuMs } from '../support/process.ts';
import { digits } from '../table.ts';

/** Rounds in one run: many, or as many as fit into some seconds. */
const ROUNDS = 200;
const RUN_MS_MAX = 8_000;
/** Between rounds: so that each is answered before the next begins. */
const PAUSE_MS = 5;
const QUIET_MS = 500;

const figureOf = (size: Size): Figure => {
  // The name of the one that is asked for has no size: bytes do not depend on it.
  const bytes = size === '10k' ? 'agree_bytes' : `agree_${size}_bytes`;
  const [cpu, messages] = [`agree_${size}_cpu_ms`, `agree_${size}_frames`];

  async function* measure(bench: Bench): AsyncGenerator<Run> {
    const connected = await connectedPair(bench, SIZES[size]);
    const { alice, bob, proxy } = connected;
    try {
      const begun = nowMs();
      await bob.tell.rounds(1, PAUSE_MS);
      const rounds = Math.max(1, Math.min(ROUNDS, Math.floor(RUN_MS_MAX / (nowMs() - begun))));
      for (;;) {
        await sleep(QUIET_MS);
        proxy.reset();
        const before = [cpuMs(alice.pid), cpuMs(bob.pid)];
        await bob.tell.rounds(rounds, PAUSE_MS);
        await sleep(QUIET_MS);
        const used = [cpuMs(alice.pid), cpuMs(bob.pid)].map((now, at) => (now - before[at]!) / rounds);
        yield {
          [bytes]: proxy.counted.bytes / rounds,
          [cpu]: Math.max(...used),
          [messages]: proxy.counted.messages / rounds,
        };
      }
    } finally {
      await connected.close();
    }
  }

  return {
    values: {
      [bytes]: {
        unit: 'bytes',
        what: `a round between two that agree about ${digits(SIZES[size])} messages, both ways`,
        target: atMost(200),
      },
      [cpu]: {
        unit: 'ms',
        what: 'time on a core that it takes the side that it takes longer',
        target: atMost(1),
      },
      [messages]: { unit: 'frames', what: 'of such a round, both ways', target: null },
    },
    measure,
  };
};

export const agree = (['10k', '1m'] as const).map(figureOf);
