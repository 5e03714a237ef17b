/**
 * Ten nodes that all know each other talk for a long time while their connections break: every few seconds a tenth of them, at once and without a word.
 * Watched are their memory, which has to stay where it is, and whether all show the same once the breaking ends.
 * `node bench/soak.ts --minutes 20`; JSON lines to stdout, progress to stderr. Ends with 1 if they do not come to show the same.
 *
 *   --minutes N      how long connections break (20)
 *   --nodes N        how many there are (10)
 *   --per-second N   messages of all together (10)
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lineOf, median } from './line.ts';
import { SOAK_VALUES } from './soak-values.ts';
import { nowMs, sleep, until } from './support/clock.ts';
import { manyNodes, mesh } from './support/many-nodes.ts';
import type { BenchNode } from './support/nodes.ts';
import { memoryMb } from './support/process.ts';
import { CountingProxy } from './support/proxy.ts';
import { CHANNEL } from './support/texts.ts';

const BREAK_EVERY_MS = 3_000;
const BROKEN_SHARE = 0.1;
const SAMPLE_EVERY_MS = 5_000;
const SAY_EVERY_MS = 60_000;
const CONVERGE_MS_MAX = 300_000;
/** Messages of each node that are compared whole, text by text: the newest. All are counted. */
const COMPARED = 10_000;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '10' },
    'per-second': { type: 'string', default: '10' },
  },
});
const positive = (name: keyof typeof options) => {
  const value = Number(options[name]);
  if (value > 0) return value;
  throw new Error(`Expected --${name} with a number above 0, got ${options[name]}.`);
};
const [minutes, count, per_second] = [positive('minutes'), positive('nodes'), positive('per-second')];

const begun = nowMs();
const say = (text: string) =>
  process.stderr.write(`${String(Math.round((nowMs() - begun) / 1_000)).padStart(6)} s  ${text}\n`);
const folder = mkdtempSync(join(tmpdir(), 'sotto-soak-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

/** One for each pair: what breaks is the line between two, not a node. */
const proxies: CountingProxy[] = [];
const nodes = await manyNodes({
  folder,
  count,
  shape: mesh,
  say,
  way: async (address) => {
    const proxy = await CountingProxy.open(address);
    proxies.push(proxy);
    return proxy.address;
  },
});
say(`${nodes.length} nodes are connected by ${proxies.length} lines`);

/** Memory of each node, one sample after the other. */
const memory: number[][] = nodes.map(() => []);
const tally = { sent: 0, broken: 0 };
const end_ms = nowMs() + minutes * 60_000;
const goesOn = () => nowMs() < end_ms;
await Promise.all([talk(), breakLines(), watchMemory()]);
say('no line breaks any more');
const healed_ms = nowMs();
let converged_ms: number | null = null;
try {
  await until('all show the same', showTheSame, { timeout_ms: CONVERGE_MS_MAX, every_ms: 500 });
  converged_ms = nowMs() - healed_ms;
} catch (thrown) {
  process.exitCode = 1;
  say(String(thrown));
}
report();
for (const node of nodes) await node.stop();
for (const proxy of proxies) await proxy.close();

/** Somebody says something, evenly over time; who it is, chance decides. */
async function talk(): Promise<void> {
  const from_ms = nowMs();
  while (goesOn()) {
    const due = Math.floor(((nowMs() - from_ms) / 1_000) * per_second);
    for (; tally.sent < due; tally.sent++)
      await nodes[Math.floor(Math.random() * nodes.length)]!.tell.sendOne(tally.sent);
    await sleep(20);
  }
}

async function breakLines(): Promise<void> {
  while (goesOn()) {
    await sleep(BREAK_EVERY_MS);
    const chosen = proxies
      .toSorted(() => Math.random() - 0.5)
      .slice(0, Math.ceil(proxies.length * BROKEN_SHARE));
    for (const proxy of chosen) proxy.drop();
    tally.broken += chosen.length;
  }
}

async function watchMemory(): Promise<void> {
  let said_ms = nowMs();
  while (goesOn()) {
    await sleep(SAMPLE_EVERY_MS);
    nodes.forEach(({ pid }, at) => {
      memory[at]!.push(memoryMb(pid));
    });
    if (nowMs() - said_ms < SAY_EVERY_MS) continue;
    said_ms = nowMs();
    const now = memory.map((samples) => Math.round(samples.at(-1)!));
    say(`${tally.sent} messages, ${tally.broken} lines broken, MB of memory: ${now.join(' ')}`);
  }
}

async function showTheSame(): Promise<boolean> {
  const shown = await Promise.all(nodes.map(shownBy));
  return shown.every((each) => each === shown[0] && each.startsWith(`${tally.sent} `));
}

/** How many messages a node shows, and a hash of what they say. */
async function shownBy(node: BenchNode): Promise<string> {
  const [channel] = await node.facade.channels({});
  const page = await node.facade.read({ channel_ref: CHANNEL, limit: COMPARED });
  const hash = createHash('sha256');
  for (const { message_id, text, author } of page) hash.update(`${message_id} ${author} ${text}\n`);
  return `${channel?.messages} ${hash.digest('hex')}`;
}

function report(): void {
  const print = (name: keyof typeof SOAK_VALUES, runs: readonly number[]) =>
    process.stdout.write(`${JSON.stringify(lineOf(name, SOAK_VALUES[name].unit, runs))}\n`);
  print('soak_minutes', [minutes]);
  print('soak_messages', [tally.sent]);
  print('soak_lines_broken', [tally.broken]);
  if (converged_ms !== null) print('soak_converged_ms', [converged_ms]);
  // The first quarter is warming up: caches fill, code is compiled. A value for each node; the line's is the median of nodes.
  print(
    'soak_rss_mb',
    memory.map((samples) => quarter(samples, 3)),
  );
  print(
    'soak_rss_growth_mb',
    memory.map((samples) => quarter(samples, 3) - quarter(samples, 1)),
  );
  print('soak_rss_slope_mb_per_hour', memory.map(slope));
}

/** The median of one quarter of the samples, 0 to 3. */
function quarter(samples: readonly number[], number: number): number {
  const at = (quarters: number) => (samples.length * quarters) / 4;
  return median(samples.slice(Math.floor(at(number)), Math.ceil(at(number + 1))));
}

/** Of the line that fits best through all samples but the first quarter's, in MB per hour. */
function slope(samples: readonly number[]): number {
  const settled = samples.slice(Math.floor(samples.length / 4));
  const hours = settled.map((_, at) => (at * SAMPLE_EVERY_MS) / 3_600_000);
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const [middle, level] = [mean(hours), mean(settled)];
  const above = settled.reduce((sum, each, at) => sum + (hours[at]! - middle) * (each - level), 0);
  return above / hours.reduce((sum, each) => sum + (each - middle) ** 2, 0);
}
