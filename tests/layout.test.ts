/**
 * The rules of the tree that no compiler holds: who may import whom, what pure code may name, what the generated registry says.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GENERATED, generateRegistry } from '../dev/discover.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDERS = [
  'core',
  'crypto',
  'storage',
  'transport',
  'protocols',
  'hosts',
  'api',
  'cli',
  'examples',
  'dev',
  'bench',
  'sim',
  'tests',
];

const files: readonly string[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => normalize(`${folder}/${path}`))
    .filter((path) => /\.ts$/.test(path) && !path.includes('node_modules') && !path.endsWith('.d.ts')),
);
const isTest = (path: string) => /\.(test|contract|fake|testing)\.ts$|\/fixtures\//.test(path);
const production = files.filter((path) => !isTest(path) && !/^(tests|dev|bench|sim)\//.test(path));
const source = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(path: string): Import[] {
  const found = withoutComments(source(path)).matchAll(
    /^(?:import|export)\b(?:[^'";]*?\bfrom)?\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found]
    .map(([, still, dynamic]) => still ?? dynamic ?? '')
    .map((to) => ({ from: path, to: to.startsWith('.') ? normalize(join(dirname(path), to)) : to }));
}

const event_folder = /^protocols\/[^/]+\/events\/([^/]+)\//;

/** What others may know of an event type. */
const isOpenPartOfEvent = (path: string) => event_folder.test(path) && /\/(schema|queries)\.ts$/.test(path);

/** Each row: files it is about, and which imports they may have. The law as `docs/architecture.md` tells it. */
const LAW: readonly (readonly [string, (path: string) => boolean, (entry: Import) => boolean])[] = [
  [
    'core/ imports core/ and libraries without I/O',
    (path) => path.startsWith('core/'),
    ({ to }) =>
      to.startsWith('core/') || ['cborg', 'zod', 'yaml', 'croner', 'fastest-levenshtein'].includes(to),
  ],
  [
    'crypto/ imports its primitive library',
    (path) => path.startsWith('crypto/'),
    ({ to }) => to.startsWith('crypto/') || to === 'sodium-native',
  ],
  [
    'storage/ imports core interfaces and drivers',
    (path) => path.startsWith('storage/'),
    ({ to }) => /^(core|storage)\//.test(to) || to.startsWith('node:') || to === 'better-sqlite3',
  ],
  [
    'transport/ imports core interfaces, crypto/ and network libraries',
    (path) => path.startsWith('transport/'),
    ({ to }) =>
      /^(core|crypto|transport)\//.test(to) || to.startsWith('node:') || /^(ws|noise-handshake)/.test(to),
  ],
  [
    'an event folder imports core/, rules, reconcile, itself, and of other events only schema.ts and queries.ts',
    (path) => event_folder.test(path),
    ({ from, to }) => {
      const other = event_folder.exec(to);
      if (other !== null) return other[1] === event_folder.exec(from)?.[1] || isOpenPartOfEvent(to);
      return to.startsWith('core/') || /^protocols\/[^/]+\/(rules|reconcile)\//.test(to) || to === 'zod';
    },
  ],
  [
    'jobs/ import core/, rules/, reconcile/, and of events only schema.ts and queries.ts',
    (path) => /^protocols\/[^/]+\/jobs\//.test(path),
    ({ to }) =>
      to.startsWith('core/') || /^protocols\/[^/]+\/(rules|reconcile)\//.test(to) || isOpenPartOfEvent(to),
  ],
  [
    'rules/ import core/, each other, and of events only schema.ts and queries.ts',
    (path) => /^protocols\/[^/]+\/rules\//.test(path),
    ({ to }) => to.startsWith('core/') || /^protocols\/[^/]+\/rules\//.test(to) || isOpenPartOfEvent(to),
  ],
  [
    'reconcile/ imports core/, itself, and of events only schema.ts and queries.ts (crypto/ only where SQL functions are made)',
    (path) => /^protocols\/[^/]+\/reconcile\//.test(path),
    ({ from, to }) =>
      to.startsWith('core/') ||
      /\/reconcile\//.test(to) ||
      isOpenPartOfEvent(to) ||
      (from.endsWith('fingerprint.ts') && to.startsWith('crypto/')),
  ],
  [
    'handlers/ import core/, crypto/ and each other, never an event',
    (path) => /\/handlers\//.test(path),
    ({ to }) => /^(core|crypto)\//.test(to) || /\/handlers\//.test(to),
  ],
  [
    'cli/ imports the API and its types, and starts a host',
    (path) => path.startsWith('cli/'),
    ({ to }) =>
      /^(api|cli)\//.test(to) ||
      to === 'hosts/node/main.ts' ||
      to.startsWith('node:') ||
      ['commander', 'zod'].includes(to) ||
      to.startsWith('hono'),
  ],
  [
    'api/ knows the node by its facade only',
    (path) => path.startsWith('api/'),
    ({ to }) =>
      to.startsWith('api/') ||
      to === 'core/assert.ts' ||
      !/^(core|crypto|storage|transport|protocols|hosts|cli)\//.test(to),
  ],
  [
    'production code imports no test, bench, simulator or dev tool',
    (path) => production.includes(path),
    ({ to }) => !/^(tests|bench|dev|sim)\//.test(to) && !isTest(to),
  ],
];

describe('the import law', () => {
  it.each(LAW)('%s', (_law, about, allowed) => {
    const subject = production.filter(about);
    expect(subject.length).toBeGreaterThan(0);
    expect(
      subject
        .flatMap(importsOf)
        .filter((entry) => !allowed(entry))
        .map(({ from, to }) => `${from} imports ${to}`),
    ).toEqual([]);
  });
});

/** What pure code may not name, and what to use instead. */
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b/, 'ctx.now_ms'],
  [/\bMath\.random\b/, 'ctx.random'],
  [/\bcrypto\b(?!\/)/, 'an instruction to the crypto handlers'],
  [/\bfetch\s*\(/, 'an envelope'],
  [/\bset(Timeout|Interval|Immediate)\b/, 'a job'],
  [/\bprocess\b/, 'a parameter in jobs.yaml'],
  [/\bconsole\b/, 'the trace'],
  [/\bawait\b|\basync\b|\bPromise\b/, 'a synchronous function'],
  [/\bperformance\b/, 'ctx.now_ms'],
];

describe('the simulator', () => {
  it('imports no test, no API, no command line and no composition root', () => {
    const imports = files.filter((path) => path.startsWith('sim/')).flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(50);
    expect(
      imports.filter(({ to }) => /^(tests|api|cli|bench|dev)\/|^hosts\/node\/(main|node)\.ts/.test(to)),
    ).toEqual([]);
  });

  it('S15: has all its time and chance from its seed', () => {
    const measuring = ['sim/main.ts', 'sim/worker.ts', 'sim/campaign.ts', 'sim/shorten.ts', 'sim/mutants.ts'];
    const made = files.filter((path) => path.startsWith('sim/') && !measuring.includes(path));
    expect(made.length).toBeGreaterThan(10);
    const real =
      /\bDate\.now\b|\bMath\.random\b|\bperformance\b|\brandomBytes\b|\bsetTimeout\b|\bsetInterval\b/;
    expect(made.filter((path) => real.test(withoutComments(source(path))))).toEqual([]);
  });
});

describe('pure code', () => {
  const pure = production.filter(
    (path) =>
      /^(protocols\/[^/]+|examples\/[^/]+)\/(events|jobs|rules|reconcile)\//.test(path) &&
      !path.endsWith('fingerprint.ts'),
  );
  it.each(IMPURE)('S15: never names %s; use %s', (name) => {
    expect(pure.length).toBeGreaterThan(30);
    for (const folder of ['events', 'jobs', 'rules', 'reconcile'])
      expect(pure.filter((path) => path.startsWith(`protocols/quiet/${folder}/`)).length).toBeGreaterThan(1);
    expect(pure.filter((path) => name.test(withoutComments(source(path))))).toEqual([]);
  });
});

describe('the tree', () => {
  it('the generated registry is what discovery finds (run `npm run generate`)', () => {
    expect(readFileSync(GENERATED, 'utf8')).toBe(generateRegistry());
  });

  it('the founding schedule is in the protocol folder as it was written', () => {
    const lines = source('protocols/quiet/jobs.yaml')
      .split('\n')
      .map((line) => line.trim());
    const founding = [
      'name: sync_request',
      'function: sync_job',
      'frequency_ms: 3000',
      `network_id: "\${NETWORK_ID}"`,
      'function: rekey_creation_job',
      'frequency_ms: 60000  # Every minute',
      'function: delete_rekeyed_events_job',
      'frequency_ms: 65000  # 5 seconds after rekey',
      'function: purge_unused_keys_job',
      'frequency_ms: 70000  # 10 seconds after delete',
      'function: ttl_cleanup_job',
      'frequency_ms: 300000',
      'function: prekey_replenishment_job',
      'frequency_ms: 600000',
    ];
    expect(
      founding.filter((line) => !lines.some((found) => found === line || found === `- ${line}`)),
    ).toEqual([]);
  });

  it('no handler branches on the name of an event type', () => {
    const names = files
      .filter((path) => /^protocols\/quiet\/events\/[^/]+\/schema\.ts$/.test(path))
      .flatMap((path) => [...source(path).matchAll(/name: '([^']+)'/g)].map(([, name]) => name!));
    expect(names).toContain('message');
    const branches = production
      .filter((path) => path.includes('/handlers/') || path.startsWith('core/'))
      .flatMap((path) =>
        names
          .filter((name) =>
            new RegExp(`\\btype(\\.name)? [!=]==? '${name}'`).test(withoutComments(source(path))),
          )
          .map((name) => `${path}: ${name}`),
      );
    expect(branches).toEqual([]);
  });

  it('a file has one subject: past 450 lines look for the second thing in it', () => {
    const long = production.filter(
      (path) => !path.endsWith('.gen.ts') && source(path).split('\n').length > 450,
    );
    expect(long).toEqual([]);
  });

  it('a file of the runtime opens with a sentence on what it is', () => {
    const silent = production.filter(
      (path) =>
        /^(core|crypto|storage|transport|hosts|api|cli)\//.test(path) &&
        !/^(#!.*\n)?\/\*\*/.test(source(path)),
    );
    expect(silent).toEqual([]);
  });
});
