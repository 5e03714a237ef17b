/**
 * `npm run sim:mutants`: takes one rule at a time out of a copy of this tree, and looks whether the simulations notice. A check that no broken rule ever sets
 * off proves nothing by being silent.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { campaign, type Report } from './campaign.ts';
import type { Edit, Mutant } from './mutants.kit.ts';
import { mutants } from './mutants.list.ts';

const HELP = `Takes the rules out of the program, one at a time, and looks which promise is broken by it, and how soon.

  npm run sim:mutants                            all of them
  npm run sim:mutants -- NAME [NAME...]          only these
  npm run sim:mutants -- --list                  their names, and the promises that should notice

  --seeds N      at most so many seeds for each, whatever the list says
  --from N       the first seed, whatever the list says
  --control N    so many seeds of the tree as it is must hold first (4)
  --workers N    processes at a time (one for each core)
  --json         one JSON line for each

Example: npm run sim:mutants -- signature-not-verified --workers 1

Exit code: 0 all were caught; 1 one survived, or could not be tried; 2 wrong arguments.
`;

/** What a simulation is made of. */
const FOLDERS = ['core', 'crypto', 'protocols', 'storage', 'transport', 'hosts', 'sim'];
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FAST_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

type Verdict =
  | { readonly verdict: 'caught'; readonly promise: string; readonly seed: number; readonly message: string }
  /** Whatever was broken, it was none of the promises that are there for this rule. */
  | { readonly verdict: 'survived'; readonly others: Readonly<Record<string, number>> }
  | { readonly verdict: 'error'; readonly message: string };
type Tried = Verdict & { readonly name: string; readonly seeds: number; readonly took_ms: number };

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        list: { type: 'boolean' },
        seeds: { type: 'string' },
        from: { type: 'string' },
        control: { type: 'string' },
        workers: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (thrown) {
    return fail((thrown as Error).message);
  }
}

const { values: given, positionals: names } = options();
const number = (name: 'seeds' | 'from' | 'control' | 'workers'): number | undefined => {
  const text = given[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) fail(`Expected a number for --${name}, but came '${text}'.`);
  return value;
};
const asked = { seeds: number('seeds'), from: number('from'), workers: number('workers') };
const control_seeds = number('control') ?? 4;
const print = (line: string) => process.stdout.write(`${line}\n`);
const is_shown = process.stderr.isTTY && given.json !== true;
const progress = (line: string) => {
  if (is_shown) process.stderr.write(`\r${line.padEnd(80)}${line === '' ? '\r' : ''}`);
};

for (const name of names)
  if (!mutants.some((mutant) => mutant.name === name)) {
    const nearest = closest(
      name,
      mutants.map((mutant) => mutant.name),
    );
    fail(`There is no mutant '${name}'. Did you mean '${nearest}'?`);
  }
const chosen = names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name));
const width = Math.max(...mutants.map(({ name }) => name.length));

/** The tree as it is, where the same is likely as for a mutant. What breaks there at a seed, too, is nothing that the mutant was caught by. */
class Control {
  readonly #sound: string;
  readonly #folders = new Map<string, string>();
  readonly #known = new Map<string, string | null>();

  constructor(sound: string) {
    this.#sound = sound;
  }

  folder(likelier: readonly Edit[]): string {
    if (likelier.length === 0) return this.#sound;
    const key = JSON.stringify(likelier);
    const folder = this.#folders.get(key) ?? `${this.#sound}-${this.#folders.size}`;
    if (!this.#folders.has(key)) copyTree(this.#sound, folder, likelier);
    this.#folders.set(key, folder);
    return folder;
  }

  async breaks(seed: number, likelier: readonly Edit[]): Promise<string | null> {
    const folder = this.folder(likelier);
    const known = this.#known.get(`${folder} ${seed}`);
    if (known !== undefined) return known;
    let broken: string | null = 'nothing was reported';
    try {
      await run(folder, [seed], (report) => {
        broken = report.message;
        return 'stop';
      });
    } catch (thrown) {
      broken = (thrown as Error).message;
    }
    this.#known.set(`${folder} ${seed}`, broken);
    return broken;
  }
}

const run = (folder: string, seeds: Iterable<number>, on_report: (report: Report) => 'go_on' | 'stop') =>
  campaign({
    seeds,
    worker: join(folder, 'sim', 'worker.ts'),
    ...(asked.workers === undefined ? {} : { workers: asked.workers }),
    on_report,
  });

if (given.help === true) print(HELP);
else if (given.list === true)
  for (const { name, promises, what } of chosen)
    print(`${name.padEnd(width)}  ${promises.join(' ').padEnd(12)}  ${what}`);
else await tryAll();

async function tryAll(): Promise<void> {
  const folder = mkdtempSync(join(FAST_FOLDER, 'sotto-mutants-'));
  const removed = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', removed);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  // All are made from one copy, so that whoever goes on writing meanwhile changes nothing.
  const sound = join(folder, 'sound');
  copyTree(ROOT, sound);
  // A mistake in the list is told at once, not after an hour.
  try {
    for (const { likelier = [], edits } of chosen)
      for (const edit of [...likelier, ...edits]) edited(sound, edit);
  } catch (thrown) {
    process.stderr.write(`${(thrown as Error).message}\n`);
    process.exitCode = 1;
    return;
  }
  const control = new Control(sound);
  for (let seed = 1; seed <= control_seeds; seed++) {
    progress(`the tree as it is: seed ${seed} of ${control_seeds}`);
    const broken = await control.breaks(seed, []);
    if (broken === null) continue;
    process.exitCode = 1;
    progress('');
    const told = { name: 'control', verdict: 'error', seed, message: broken };
    print(given.json === true ? JSON.stringify(told) : `Seed ${seed} of the tree as it is: ${broken}`);
    return;
  }
  let caught = 0;
  for (const mutant of chosen) {
    const tried = await tryOne(mutant, control, join(folder, mutant.name));
    if (tried.verdict === 'caught') caught += 1;
    else process.exitCode = 1;
    progress('');
    print(given.json === true ? JSON.stringify(tried) : lineOf(tried));
  }
  if (given.json !== true) print(`\n${caught} of ${chosen.length} were caught.`);
}

function lineOf(tried: Tried): string {
  const { name, seeds, took_ms } = tried;
  const spent = `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${(took_ms / 1000).toFixed(1)} s`;
  const what = () => {
    if (tried.verdict === 'error') return `ERROR after ${spent}: ${tried.message}`;
    if (tried.verdict === 'caught') return `${tried.promise} at seed ${tried.seed}, after ${spent}`;
    const others = Object.entries(tried.others).map(([promise, times]) => `${promise} in ${times}`);
    return `SURVIVED ${spent}${others.length === 0 ? '' : `; broken were only: ${others.join(', ')}`}`;
  };
  return `${name.padEnd(width)}  ${what()}`;
}

async function tryOne(mutant: Mutant, control: Control, folder: string): Promise<Tried> {
  const { name, promises, edits, likelier = [] } = mutant;
  const at = performance.now();
  const others: Record<string, number> = {};
  const first = asked.from ?? mutant.from ?? 1;
  const most = asked.seeds ?? mutant.seeds;
  let next = first;
  let seeds = 0;
  let verdict: Verdict | null = null;
  function* left() {
    while (next < first + most) yield next++;
  }
  try {
    copyTree(control.folder(likelier), folder, edits);
    while (verdict === null && next < first + most) {
      const broken: Report[] = [];
      await run(folder, left(), (report) => {
        seeds += 1;
        progress(`${name}: ${seeds} of ${most} seeds`);
        if (report.promise === null) return 'go_on';
        if (promises.includes(report.promise)) broken.push(report);
        else others[report.promise] = (others[report.promise] ?? 0) + 1;
        return broken.length === 0 ? 'go_on' : 'stop';
      });
      for (const { seed, promise, message } of broken)
        if ((await control.breaks(seed, likelier)) === null)
          verdict ??= { verdict: 'caught', promise: promise ?? '', seed, message: message ?? '' };
    }
  } catch (thrown) {
    // A process that hangs or dies says nothing about any promise.
    verdict = { verdict: 'error', message: (thrown as Error).message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const took_ms = Math.round(performance.now() - at);
  return { name, ...(verdict ?? { verdict: 'survived', others }), seeds, took_ms };
}

function copyTree(from: string, to: string, edits: readonly Edit[] = []): void {
  for (const name of FOLDERS)
    cpSync(join(from, name), join(to, name), {
      recursive: true,
      filter: (path) => !/\.(test|contract|fake|testing)\.ts$/.test(path),
    });
  cpSync(join(from, 'package.json'), join(to, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
  for (const edit of edits) writeFileSync(join(to, edit.file), edited(to, edit));
}

/** A file with one change; an error where the text is not there, or there twice: then nobody knows what would be tried. */
function edited(root: string, { file, find, replace }: Edit): string {
  const text = readFileSync(join(root, file), 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `Expected this text once in ${file}, but it is there ${parts.length - 1} times:\n${find}`,
    );
  return parts.join(replace);
}
