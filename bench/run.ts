/**
 * Measures our own figures. `npm run bench` measures all, `npm run bench -- NAME...` those whose names are, or begin with, one of these.
 * JSON lines go to stdout, progress and a table to stderr. Ends with 1 if something could not be measured.
 *
 *   --runs N       how often each is measured (5)
 *   --stores DIR   keeps histories there for the next time, instead of writing them anew (only of the same version of the tables)
 *   --list         prints all names, and measures nothing
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './figure.ts';
import { DERIVED, FIGURES, specOf } from './figures/index.ts';
import { type Line, lineOf } from './line.ts';
import { nowMs } from './support/clock.ts';
import { Stores } from './support/stores.ts';
import { tableOf } from './table.ts';

const RUNS = 5;

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: String(RUNS) },
    stores: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1)
  fail(`Expected --runs with a whole number from 1, got ${options.runs}.`);

const begun = nowMs();
const say = (text: string) =>
  process.stderr.write(`${String(Math.round((nowMs() - begun) / 1_000)).padStart(6)} s  ${text}\n`);

const isWanted = (name: string) => wanted.length === 0 || wanted.some((each) => name.startsWith(each));
const chosen = FIGURES.filter((figure) => Object.keys(figure.values).some(isWanted));
const unknown = wanted.filter(
  (each) => !FIGURES.some((figure) => Object.keys(figure.values).some((name) => name.startsWith(each))),
);
if (unknown.length > 0) fail(`There is no figure called ${unknown.join(', ')}. --list shows all.`);
if (options.list) {
  for (const figure of chosen) process.stdout.write(`${Object.keys(figure.values).join('\n')}\n`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
const stores = new Stores(
  options.stores === undefined ? join(folder, 'stores') : resolve(options.stores),
  say,
);

const lines: Line[] = [];
const print = (line: Line) => {
  lines.push(line);
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
for (const figure of chosen) {
  const names = Object.keys(figure.values);
  try {
    for (const line of await measured(figure, { folder, stores, say })) print(line);
  } catch (thrown) {
    process.exitCode = 1;
    say(`${names[0]} could not be measured: ${thrown instanceof Error ? (thrown.stack ?? thrown) : thrown}`);
  }
}
for (const derived of DERIVED) {
  const line = derived(lines);
  if (line !== null) print(line);
}
process.stderr.write(`\n${tableOf(lines, specOf)}\n`);

/** The lines of one figure, after as many runs as are asked for. */
async function measured(figure: Figure, bench: Bench): Promise<Line[]> {
  const names = Object.keys(figure.values);
  say(names.join(' '));
  const values = new Map<string, number[]>(names.map((name) => [name, []]));
  const ceilings = new Map<string, number[]>(names.map((name) => [name, []]));
  const measuring = figure.measure(bench);
  try {
    for (let run = 1; run <= runs; run++) {
      const next = await measuring.next();
      if (next.done === true) throw new Error('expected a figure to go on until it is ended');
      for (const [name, result] of Object.entries(next.value)) {
        values.get(name)!.push(typeof result === 'number' ? result : result.value);
        if (typeof result !== 'number') ceilings.get(name)!.push(result.ceiling);
      }
      const shown = names.map((name) => `${name} ${values.get(name)!.at(-1)!.toPrecision(4)}`);
      say(`run ${run} of ${runs}: ${shown.join(', ')}`);
    }
  } finally {
    await measuring.return();
  }
  return names.map((name) => lineOf(name, figure.values[name]!.unit, values.get(name)!, ceilings.get(name)!));
}

function fail(words: string): never {
  process.stderr.write(`bench: ${words}\n`);
  process.exit(2);
}
