/**
 * Runs other systems of the field through the workload that Sotto's own figures are of, two processes over loopback each.
 * `node bench/peers/run.ts [--runs N] [--count N] [--appends N] [SYSTEM...]`; `README.md` says what is measured and how to install them.
 * A JSON line per figure goes to stdout; progress and a table go to stderr.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Child } from './child.ts';
import { openCountingProxy } from './counting-proxy.ts';
import type { Facts } from './system.ts';
import { printTable, type Row, type Told } from './table.ts';

const SYSTEMS = ['jazz-list', 'jazz-map', 'yjs-list', 'yjs-map', 'ssb', 'evolu', 'hypercore'];
const DELTA = 10;
/** What comes within this time after the last message was shown (acknowledgements, say) belongs to the bytes of the delta. */
const QUIET_MS = 250;
const QUIET_MOST_MS = 3_000;

const { values: options, positionals } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    count: { type: 'string', default: '10000' },
    appends: { type: 'string', default: '500' },
  },
  allowPositionals: true,
});
const whole = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`expected a whole number above 0, got "${text}"`);
  return value;
};
const runs = whole(options.runs);
const count = whole(options.count);
const appends = whole(options.appends);
const unknown = positionals.filter((name) => !SYSTEMS.includes(name));
if (unknown.length > 0) throw new Error(`expected names of ${SYSTEMS.join(', ')}; got ${unknown.join(', ')}`);
const size = count % 1000 === 0 ? `${count / 1000}k` : `${count}`;
if (!existsSync(new URL('node_modules', import.meta.url)))
  throw new Error('expected the other systems to be installed; run `npm ci` in bench/peers first');
const systems = positionals.length > 0 ? positionals : SYSTEMS;

/** The figures of one run: a number per name, and its unit. */
type Figures = Readonly<Record<string, readonly [value: number, unit: string]>>;

/** One system, in a folder of its own: fills a peer, lets an empty one fetch, then a few more, and kills it. */
async function runOnce(system: string, folder: string): Promise<{ figures: Figures; facts: Told }> {
  const children: Child[] = [];
  const start = async () => {
    const child = await Child.start(system);
    children.push(child);
    return child;
  };
  try {
    const full = await start();
    const ticket = await full.call('openFull', join(folder, 'full'));
    const port = await full.call('listen');
    const empty = await start();
    await empty.call('openEmpty', join(folder, 'empty'), ticket);
    await empty.call('join', port);
    await full.call('fill', count);
    await full.call('share');
    const sync = await empty.call('fetch', port, 0, count);

    let held = count;
    const fetchNew = async (from_port: number) => {
      await empty.call('disconnect');
      await full.call('append', held, DELTA);
      await full.call('share');
      const fetched = await empty.call('fetch', from_port, held, DELTA);
      held += DELTA;
      return fetched;
    };
    const proxy = await openCountingProxy(port);
    const delta = await fetchNew(proxy.port);
    await proxy.quiet(QUIET_MS, QUIET_MOST_MS);
    const bytes = proxy.bytes();

    // What is said to be stored has to be there after a crash at that moment.
    await fetchNew(port);
    await empty.kill();
    proxy.close();
    const reopened = await start();
    await reopened.call('openEmpty', join(folder, 'empty'), ticket);
    const lost = held - (await reopened.call('held'));
    await reopened.kill();

    const append_full_ms = await full.call('append', held, appends);
    await full.kill();
    const fresh = await start();
    await fresh.call('openFull', join(folder, 'fresh'));
    const append_ms = await fresh.call('append', 0, appends);
    const figures = {
      [`sync_${size}_messages_per_s`]: [(count / sync.ms) * 1000, 'messages/s'],
      [`delta_${size}_ms`]: [delta.ms, 'ms'],
      [`delta_${size}_bytes`]: [bytes, 'bytes'],
      append_per_s: [(appends / append_ms) * 1000, 'messages/s'],
      [`append_at_${size}_per_s`]: [(appends / append_full_ms) * 1000, 'messages/s'],
      receiver_rss_mb: [sync.peak_mb, 'MB'],
      lost_after_kill: [lost, 'messages'],
    } satisfies Figures;
    return { figures, facts: tell(await fresh.call('facts')) };
  } finally {
    for (const child of children) await child.kill();
  }
}

/** Facts with the versions of what is installed. */
function tell({ packages, ...others }: Facts): Told {
  const versions = packages.map((name) => {
    const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
  });
  return { ...others, versions: versions.join(', ') };
}

const round = (value: number) => (value >= 100 ? Math.round(value) : Math.round(value * 100) / 100);
const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[values.length >> 1]!;

const say = (text: string) => process.stderr.write(`${text}\n`);
const machine = `${cpus().length} cores, node ${process.version}`;
const results = new Map<string, { figures: Figures[]; facts: Told }>();
const failed = new Set<string>();

// Every system once, then every system again: what else the machine does in the meantime falls on all of them.
for (let run = 1; run <= runs; run++)
  for (const system of systems.filter((name) => !failed.has(name))) {
    const folder = mkdtempSync(join(tmpdir(), `sotto-peers-${system}-`));
    const head = `run ${run} of ${runs} (load ${loadavg()[0]!.toFixed(1)}), ${system}`;
    try {
      const { figures, facts } = await runOnce(system, folder);
      results.set(system, { facts, figures: [...(results.get(system)?.figures ?? []), figures] });
      const shown = Object.entries(figures).map(([name, [value, unit]]) => `${name} ${round(value)} ${unit}`);
      say(`${head}: ${shown.join(', ')}`);
    } catch (error) {
      failed.add(system);
      say(`${head} FAILED: ${(error as Error).message}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

const rows: Row[] = [];
for (const [system, { figures, facts }] of results) {
  if (failed.has(system)) continue;
  const medians: Record<string, number> = {};
  for (const [name, [, unit]] of Object.entries(figures[0]!)) {
    const values = figures.map((of_run) => round(of_run[name]![0]));
    const value = median(values);
    medians[name] = value;
    const line = { name: `peer_${system.replaceAll('-', '_')}_${name}`, value, unit, runs: values, machine };
    console.log(JSON.stringify({ ...line, peer: facts }));
  }
  rows.push({ facts, medians });
}
printTable(rows, say);
if (failed.size > 0) say(`\nfailed: ${[...failed].join(', ')}`);
process.exitCode = failed.size > 0 ? 1 : 0;
