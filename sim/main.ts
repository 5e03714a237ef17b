/** `npm run sim`: runs simulations, shows how far they are, and says what they found and how to see it again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { campaign, type Report } from './campaign.ts';
import { ALL_MARKS } from './marks.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { shorten } from './shorten.ts';
import { Simulation } from './simulation.ts';
import { yearOf } from './year.ts';

const HELP = `Runs simulated networks: real engines, real cryptography, real SQLite; time, chance, lines and disks are made.

  npm run sim                              200 seeds
  npm run sim -- --seeds 2000 [--from 1]   so many, from a first one on
  npm run sim -- --minutes 30              as many as that takes
  npm run sim -- --seed 17 [--trace]       one, with what happened in it; --trace: every message too
  npm run sim -- --replay FILE             a scenario from a file (tests/scenarios/*.json)
  npm run sim -- --year                    twelve months of ten machines

  --go-on        further seeds after one that broke a promise, too
  --json         one JSON line for each seed, and one for the sum
  --workers N    processes at a time (one for each core)
  --keep FILE    writes the shortened scenario of a failure there

Exit code: 0 all promises held; 1 one was broken (the seed, and a shortened scenario, are printed); 2 wrong arguments.
`;

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        seeds: { type: 'string' },
        from: { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        trace: { type: 'boolean' },
        replay: { type: 'string' },
        year: { type: 'boolean' },
        'go-on': { type: 'boolean' },
        json: { type: 'boolean' },
        workers: { type: 'string' },
        keep: { type: 'string' },
      },
    }).values;
  } catch (thrown) {
    return fail((thrown as Error).message);
  }
}

const given = options();
const number = (name: 'seeds' | 'from' | 'minutes' | 'seed' | 'workers', otherwise: number): number => {
  const text = given[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) fail(`Expected a number for --${name}, but came '${text}'.`);
  return value;
};
const print = (line: string) => process.stdout.write(`${line}\n`);
const is_terminal = process.stderr.isTTY;

if (given.help === true) print(HELP);
else if (given.replay !== undefined) await one(JSON.parse(readFileSync(given.replay, 'utf8')) as Scenario);
else if (given.year === true) await one(yearOf(number('seed', 1)));
else if (given.seed !== undefined) await one(scenarioOf(number('seed', 1)));
else await many();

/** One, with its story. */
async function one(scenario: Scenario): Promise<void> {
  const at = performance.now();
  const on_line = given.trace === true ? print : undefined;
  const simulation = new Simulation(scenario, on_line === undefined ? {} : { on_line });
  const progress = setInterval(() => {
    const { steps_done, timeline } = simulation;
    if (is_terminal)
      process.stderr.write(
        `\r${steps_done} of ${scenario.steps.length} steps, ${(timeline.now_ms / 86_400_000).toFixed(1)} days `,
      );
  }, 1_000);
  const { violation, digest, simulated_ms, log, marks } = await simulation.run();
  clearInterval(progress);
  const took_ms = performance.now() - at;
  if (given.json === true) {
    const { seed } = scenario;
    print(
      JSON.stringify({
        seed,
        broken: violation?.message ?? null,
        digest,
        simulated_ms,
        took_ms,
        marks: Object.fromEntries(marks),
      }),
    );
  } else {
    if (given.trace !== true) for (const line of log) print(line);
    print(
      `${spanOf(simulated_ms)} in ${spanOf(took_ms)}, ${(simulated_ms / took_ms).toFixed(0)} times real time; trace ${digest.slice(0, 16)}`,
    );
    print(violation === null ? 'All promises held.' : `Broken: ${violation.message}`);
  }
  if (violation !== null) process.exitCode = 1;
}

async function many(): Promise<void> {
  const from = number('from', 1);
  const minutes = number('minutes', 0);
  const count = minutes > 0 ? Number.MAX_SAFE_INTEGER : number('seeds', 200);
  const at = performance.now();
  const reports: Report[] = [];
  const marks = new Map<string, { times: number; seeds: number }>();
  function* seeds() {
    for (let seed = from; seed < from + count; seed++) yield seed;
  }
  let broken: Report | null = null;
  const tell = () => {
    if (!is_terminal || given.json === true) return;
    const of = minutes > 0 ? '' : ` of ${count}`;
    process.stderr.write(`\r${reports.length}${of} seeds, ${spanOf(performance.now() - at)} `);
  };
  await campaign({
    seeds: seeds(),
    ...(given.workers === undefined ? {} : { workers: number('workers', 1) }),
    ...(minutes > 0 ? { until_ms: at + minutes * 60_000 } : {}),
    on_report: (report) => {
      reports.push(report);
      for (const [mark, times] of Object.entries(report.marks)) {
        const sum = marks.get(mark) ?? { times: 0, seeds: 0 };
        marks.set(mark, { times: sum.times + times, seeds: sum.seeds + 1 });
      }
      if (given.json === true) print(JSON.stringify({ ...report, marks: undefined, log: undefined }));
      tell();
      if (report.promise === null) return 'go_on';
      broken ??= report;
      return given['go-on'] === true ? 'go_on' : 'stop';
    },
  });
  if (is_terminal && given.json !== true) process.stderr.write('\n');
  summary(reports, marks, performance.now() - at);
  if (broken !== null) await explain(broken);
}

function summary(
  reports: readonly Report[],
  marks: ReadonlyMap<string, { times: number; seeds: number }>,
  took_ms: number,
): void {
  const simulated_ms = reports.reduce((sum, report) => sum + report.simulated_ms, 0);
  const cpu_ms = reports.reduce((sum, report) => sum + report.took_ms, 0);
  const never = ALL_MARKS.filter((mark) => !marks.has(mark));
  const broken = reports.filter(({ promise }) => promise !== null);
  if (given.json === true) {
    print(
      JSON.stringify({
        seeds: reports.length,
        broken: broken.length,
        simulated_ms,
        took_ms,
        cpu_ms,
        marks: Object.fromEntries(marks),
        never,
      }),
    );
    return;
  }
  print(
    `${reports.length} seeds, ${broken.length} broke a promise; ${spanOf(simulated_ms)} simulated in ${spanOf(took_ms)}: ${(simulated_ms / cpu_ms).toFixed(0)} times real time on one core`,
  );
  print('');
  print('rare states                                                       times   in seeds');
  for (const mark of ALL_MARKS) {
    const { times, seeds } = marks.get(mark) ?? { times: 0, seeds: 0 };
    print(
      `  ${mark.padEnd(60)} ${String(times).padStart(8)}   ${String(seeds).padStart(8)}${times === 0 ? '   never reached' : ''}`,
    );
  }
  print('');
}

async function explain({ seed, promise, message, log }: Report): Promise<void> {
  process.exitCode = 1;
  if (given.json === true) return;
  for (const line of log) print(line);
  print(`\nSeed ${seed} broke a promise. ${message}`);
  print(`See it again: npm run sim -- --seed ${seed} --trace`);
  const shortened = await shorten(scenarioOf(seed), promise!, performance.now() + 3 * 60_000, (steps) => {
    if (is_terminal) process.stderr.write(`\rshortening: ${steps} steps `);
  });
  if (shortened === null) {
    print('It did not break the same promise once more, so something in it is not made by the seed alone.');
    return;
  }
  print(
    `\nShortened to ${shortened.scenario.steps.length} steps (${shortened.runs} runs): ${shortened.message}`,
  );
  for (const line of shortened.log) print(line);
  const file = given.keep ?? `/tmp/sotto-scenarios/seed-${seed}.json`;
  mkdirSync(file.slice(0, file.lastIndexOf('/')) || '.', { recursive: true });
  writeFileSync(file, `${JSON.stringify(shortened.scenario)}\n`);
  print(`\nSee it again: npm run sim -- --replay ${file}`);
}

function spanOf(ms: number): string {
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 2 * 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  if (ms < 3 * 86_400_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${(ms / 86_400_000).toFixed(1)} days`;
}
