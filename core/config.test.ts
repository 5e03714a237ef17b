// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders as they stand in a jobs.yaml
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SottoError } from './assert.ts';
import { loadJobs } from './config.ts';
import { id, integer, type Shape, text } from './fields.ts';
import type { Registered } from './protocol.ts';
import { type Job, type JobOptions, job } from './sources.ts';

const FOUNDING = `# protocols/quiet/jobs.yaml
jobs:
  # Sync every 3 seconds
  - name: sync_request
    function: sync_job
    frequency_ms: 3000
    params:
      network_id: "\${NETWORK_ID}"

  # Rekeying pipeline (staggered for safety)
  - name: rekey_creation
    function: rekey_creation_job
    frequency_ms: 60000  # Every minute

  - name: delete_rekeyed
    function: delete_rekeyed_events_job
    frequency_ms: 65000  # 5 seconds after rekey

  - name: purge_keys
    function: purge_unused_keys_job
    frequency_ms: 70000  # 10 seconds after delete

  # TTL cleanup every 5 minutes
  - name: ttl_cleanup
    function: ttl_cleanup_job
    frequency_ms: 300000

  # Prekey replenishment every 10 minutes
  - name: prekey_replenish
    function: prekey_replenishment_job
    frequency_ms: 600000
`;

const jobs = new Map<string, Registered<Job>>();
function declare(name: string, params: Shape = {}, options: Partial<JobOptions<Shape>> = {}): void {
  const value = job({ description: name, params, ...options }, () => []) as Job;
  jobs.set(name, { name, file: `jobs/${name}.ts`, value });
}
declare('sync_job', { network_id: id() });
for (const name of [
  'rekey_creation',
  'delete_rekeyed_events',
  'purge_unused_keys',
  'ttl_cleanup',
  'prekey_replenishment',
]) {
  declare(`${name}_job`);
}
declare('report_job', { url: text(200), days: integer().default(7), tags: z.array(z.string()).optional() });
declare('each_job', {}, { for_each: 'network' });

const load = (yaml: string, env: Record<string, string> = {}, file = 'jobs.yaml') =>
  loadJobs([{ name: 'jobs.yaml', file, value: yaml }], { jobs }, env);

/** What is wrong with a file, one line for each mistake. */
function mistakes(yaml: string, env: Record<string, string> = {}): string[] {
  try {
    load(yaml, env);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SottoError);
    expect((thrown as SottoError).code).toBe('bad_jobs_file');
    return (thrown as SottoError).message.split('\n');
  }
  return [];
}

/** A file of one job with these lines added or replaced. */
const entry = (...lines: string[]) => {
  const given = lines.map((line) => line.split(':')[0]);
  const base = ['name: ttl', 'function: ttl_cleanup_job', 'frequency_ms: 1000'].filter(
    (line) => !given.includes(line.split(':')[0]),
  );
  return `jobs:\n  - ${[...base, ...lines].join('\n    ')}\n`;
};

describe('the founding jobs.yaml', () => {
  it('loads unchanged', () => {
    const specs = load(FOUNDING);
    expect(specs.map(({ name, frequency_ms, for_each }) => [name, frequency_ms, for_each])).toEqual([
      ['sync_request', 3000, 'network'],
      ['rekey_creation', 60000, 'node'],
      ['delete_rekeyed', 65000, 'node'],
      ['purge_keys', 70000, 'node'],
      ['ttl_cleanup', 300000, 'node'],
      ['prekey_replenish', 600000, 'node'],
    ]);
    expect(specs[0]?.job?.name).toBe('sync_job');
  });

  it('needs no NETWORK_ID in the environment, and does not take it from there', () => {
    const sync = load(FOUNDING, { NETWORK_ID: 'from the environment' })[0];
    const network_id = 'ab'.repeat(32);
    expect(sync?.paramsFor(network_id)).toEqual({ network_id });
  });
});

describe('what may stand in a job', () => {
  it('defaults', () => {
    const [spec] = load(entry());
    expect(spec).toMatchObject({
      ...{ name: 'ttl', file: 'jobs.yaml', frequency_ms: 1000, cron: null, offset_ms: 0, after: null },
      ...{ misfire: 'once', for_each: 'node', drain: false, enabled: true },
    });
  });

  it('everything at once', () => {
    const [, spec] = load(
      `${entry()}  - { name: other, function: ttl_cleanup_job, cron: "30 3 * * 1", after: ttl, misfire: skip, for_each: network, drain: true }\n`,
    );
    expect(spec).toMatchObject({
      frequency_ms: null,
      cron: '30 3 * * 1',
      after: 'ttl',
      misfire: 'skip',
      for_each: 'network',
      drain: true,
    });
  });

  it('for_each is what the job says, unless the file says otherwise', () => {
    expect(load(entry('function: each_job'))[0]?.for_each).toBe('network');
    expect(load(entry('function: each_job', 'for_each: node'))[0]?.for_each).toBe('node');
  });

  it('a disabled job may name a function that does not exist yet', () => {
    const [spec] = load(entry('function: not_written_yet_job', 'enabled: false'));
    expect(spec).toMatchObject({ job: null, enabled: false });
  });

  it('cron counts in UTC', () => {
    const [spec] = load('jobs:\n  - { name: a, function: ttl_cleanup_job, cron: "30 3 * * *" }\n');
    expect(new Date(spec!.grid.next(Date.UTC(2026, 0, 1, 3, 30))).toISOString()).toBe(
      '2026-01-02T03:30:00.000Z',
    );
  });
});

describe('environment in parameters', () => {
  const yaml = entry(
    'function: report_job',
    'params: { url: "https://${HOST}/${PATH_}", tags: ["${HOST}"] }',
  );

  it('is put in when the job is run', () => {
    const env = { HOST: 'one.example', PATH_: 'x' };
    const [spec] = load(yaml, env);
    expect(spec?.paramsFor(null)).toEqual({ url: 'https://one.example/x', days: 7, tags: ['one.example'] });
    env.HOST = 'two.example';
    expect(spec?.paramsFor(null)).toMatchObject({ url: 'https://two.example/x', tags: ['two.example'] });
  });

  it('gives each run parameters of its own', () => {
    const [spec] = load(yaml, { HOST: 'h', PATH_: 'x' });
    (spec!.paramsFor(null).tags as string[]).push('changed');
    expect(spec?.paramsFor(null).tags).toEqual(['h']);
  });

  it('is nowhere in the spec', () => {
    const [spec] = load(yaml, { HOST: 'tell-nobody', PATH_: 'x' });
    expect(JSON.stringify({ ...spec, job: null })).not.toContain('tell-nobody');
  });

  it('missing stops the load, with place and nearest name', () => {
    expect(mistakes(yaml, { HOTS: 'h', PATH_: 'x' })).toEqual([
      "jobs.yaml:5:20: expected the environment variable HOST to be set, got nothing. Did you mean 'HOTS'?",
      "jobs.yaml:5:55: expected the environment variable HOST to be set, got nothing. Did you mean 'HOTS'?",
    ]);
  });

  it('that no longer fits at run time is an error without the value', () => {
    const env: Record<string, string> = { HOST: 'h', PATH_: 'x' };
    const [spec] = load(yaml, env);
    env.PATH_ = 'hidden'.repeat(100);
    expect(() => spec?.paramsFor(null)).toThrow(/^Job 'ttl': url no longer fits/);
    delete env.PATH_;
    expect(() => spec?.paramsFor(null)).toThrow('The environment variable PATH_ is no longer set.');
  });

  it('that does not fit its parameter is not quoted', () => {
    const lines = mistakes(entry('function: report_job', 'params: { url: "${SECRET}" }'), {
      SECRET: 'hidden'.repeat(50),
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^jobs\.yaml:5:20: expected another value for the parameter 'url' of report_job/,
    );
    expect(lines[0]).not.toContain('hidden');
  });
});

describe('mistakes: file, line, column, what was expected, what came, the nearest right word', () => {
  it.each<[string, string, string]>([
    [
      'unknown key',
      entry('frequncy_ms: 5'),
      "5:5: expected 'name', 'function', 'frequency_ms', 'cron', 'offset_ms', 'after', 'misfire', 'for_each', 'drain', 'enabled' or 'params', got 'frequncy_ms'. Did you mean 'frequency_ms'?",
    ],
    [
      'unknown key at the top',
      `job: []\n${entry()}`,
      "1:1: expected 'jobs', got 'job'. Did you mean 'jobs'?",
    ],
    [
      'unknown function',
      entry('function: ttl_clean_job'),
      "4:15: expected a function that jobs/ exports, got 'ttl_clean_job'. Did you mean 'ttl_cleanup_job'?",
    ],
    [
      'unknown function, nothing near',
      entry('function: x'),
      "4:15: expected a function that jobs/ exports, got 'x'.",
    ],
    [
      'unknown after',
      entry('after: tll'),
      "5:12: expected the name of a job, got 'tll'. Did you mean 'ttl'?",
    ],
    [
      'after itself',
      entry('after: ttl'),
      '5:12: expected jobs that follow each other to begin somewhere, got the circle ttl -> ttl',
    ],
    [
      'duplicate YAML key',
      entry('drain: true', 'drain: true'),
      "6:5: expected each key once, got 'drain' again",
    ],
    [
      'YAML syntax',
      'jobs:\n  - name: "ttl\n',
      '3:1: expected YAML, got a mistake in it: Missing closing "quote',
    ],
    ['no list', 'jobs: 5\n', '1:7: expected a list of jobs, got 5'],
    ['empty file', '', "1:1: expected 'jobs:' with a list of jobs, got nothing"],
    ['not a job', 'jobs:\n  - ttl\n', "2:5: expected a job with name, function and frequency_ms, got 'ttl'"],
    [
      'no name',
      'jobs:\n  - { function: ttl_cleanup_job, frequency_ms: 5 }\n',
      "2:5: expected a job with 'name', got none",
    ],
    [
      'frequency of zero',
      entry('frequency_ms: 0'),
      "4:19: expected a whole number from 1 to 315360000000 for 'frequency_ms', got 0.",
    ],
    [
      'frequency with a fraction',
      entry('frequency_ms: 1.5'),
      "4:19: expected a whole number from 1 to 315360000000 for 'frequency_ms', got 1.5.",
    ],
    [
      'frequency as text',
      entry('frequency_ms: 1 min'),
      "4:19: expected a whole number from 1 to 315360000000 for 'frequency_ms', got '1 min'.",
    ],
    [
      'frequency without a value',
      entry('frequency_ms:'),
      "4:18: expected a whole number from 1 to 315360000000 for 'frequency_ms', got nothing.",
    ],
    [
      'offset not below the frequency',
      entry('offset_ms: 1000'),
      '5:16: expected offset_ms below frequency_ms (1000), got 1000',
    ],
    ['both frequency and cron', entry('cron: "* * * * *"'), '5:11: expected frequency_ms or cron, got both'],
    [
      'neither frequency nor cron',
      'jobs:\n  - { name: a, function: ttl_cleanup_job }\n',
      '2:5: expected frequency_ms or cron, got neither',
    ],
    [
      'cron with six fields',
      'jobs:\n  - { name: a, function: ttl_cleanup_job, cron: "* * * * * *" }\n',
      "2:49: expected five fields in UTC (minute hour day month weekday) for 'cron', got '* * * * * *'.",
    ],
    [
      'cron out of range',
      'jobs:\n  - { name: a, function: ttl_cleanup_job, cron: "61 * * * *" }\n',
      "2:49: expected five cron fields in UTC, got '61 * * * *': Invalid value for minute: 61",
    ],
    [
      'cron that never comes',
      'jobs:\n  - { name: a, function: ttl_cleanup_job, cron: "0 0 30 2 *" }\n',
      "2:49: expected a cron pattern that some day fits, got '0 0 30 2 *'",
    ],
    [
      'misfire',
      entry('misfire: onse'),
      "5:14: expected 'once', 'skip' or 'all' for 'misfire', got 'onse'. Did you mean 'once'?",
    ],
    ['drain', entry('drain: yes please'), "5:12: expected true or false for 'drain', got 'yes please'."],
    [
      'unknown parameter',
      entry('function: report_job', 'params: { url: x, dayz: 3 }'),
      "5:23: expected a parameter of report_job (url, days, tags), got 'dayz'. Did you mean 'days'?",
    ],
    ['a parameter where there are none', entry('params: { a: 1 }'), "5:15: expected no parameters, got 'a'."],
    [
      'missing parameter',
      entry('function: report_job'),
      "2:5: expected the parameter 'url' of report_job, got none",
    ],
    [
      'bad parameter',
      entry('function: report_job', 'params: { url: 5 }'),
      "5:20: expected another value for the parameter 'url' of report_job: Invalid input: expected string, received number",
    ],
    [
      'bad parameter deep inside',
      entry('function: report_job', 'params: { url: x, tags: [a, 5] }'),
      "5:33: expected another value for the parameter 'tags.1' of report_job: Invalid input: expected string, received number",
    ],
    [
      'NETWORK_ID with for_each: node',
      entry('function: sync_job', 'for_each: node', 'params: { network_id: "${NETWORK_ID}" }'),
      "5:15: expected for_each: network, because of ${NETWORK_ID} in params, got 'node'",
    ],
    [
      'NETWORK_ID inside other text',
      entry('function: sync_job', 'params: { network_id: "x${NETWORK_ID}" }'),
      '5:27: expected ${NETWORK_ID} as the whole value, got it as a part of one',
    ],
    [
      'a placeholder that is none',
      entry('function: report_job', 'params: { url: "${a-b}" }'),
      "5:20: expected '${NAME}', got '${a-b}'",
    ],
  ])('%s', (_what, yaml, expected) => {
    expect(mistakes(yaml)).toEqual([`jobs.yaml:${expected}`]);
  });

  it('an unknown function of an enabled job is a mistake even if another one is disabled', () => {
    const yaml = `${entry('function: none_job', 'enabled: false')}  - { name: b, function: none_job, frequency_ms: 1 }\n`;
    expect(mistakes(yaml)).toEqual([expect.stringMatching(/^jobs\.yaml:6:26: expected a function/)]);
  });

  it('all mistakes of all files are told together', () => {
    const bad = 'jobs:\n  - { name: a, function: ttl_cleanup_job, frequency_ms: 0, drian: true }\n';
    const files = ['one/jobs.yaml', 'two/jobs.yaml'].map((file) => ({ name: 'jobs.yaml', file, value: bad }));
    expect(() => loadJobs(files, { jobs }, {})).toThrow(
      expect.objectContaining({
        code: 'bad_jobs_file',
        message: expect.stringMatching(
          /^one\/jobs\.yaml:2:57: .*got 0\.\none\/jobs\.yaml:2:60: .*'drian'.*'drain'\?\ntwo\/jobs\.yaml:2:13: expected a name of its own, got 'a', which is in one\/jobs\.yaml already\ntwo\/jobs\.yaml:2:57: .*\ntwo\/jobs\.yaml:2:60: .*$/,
        ),
      }),
    );
  });

  it('an empty file is a mistake also behind a broken one', () => {
    const files = [
      { name: 'jobs.yaml', file: 'one', value: 'jobs: [' },
      { name: 'jobs.yaml', file: 'two', value: '' },
    ];
    expect(() => loadJobs(files, { jobs }, {})).toThrow(/two:1:1: expected 'jobs:'/);
  });
});

describe('after', () => {
  const file = (name: string, ...entries: string[]) => ({
    name: 'jobs.yaml',
    file: name,
    value: `jobs:\n${entries.map((after) => `  - { name: ${after.split('<')[0]}, function: ttl_cleanup_job, frequency_ms: 5${after.includes('<') ? `, after: ${after.split('<')[1]}` : ''} }\n`).join('')}`,
  });

  it('may name a job of another file', () => {
    const specs = loadJobs([file('base', 'a'), file('over', 'b<a')], { jobs }, {});
    expect(specs.map((spec) => spec.after)).toEqual([null, 'a']);
  });

  it('a circle is told once', () => {
    expect(() => loadJobs([file('base', 'a<c', 'b<a', 'c<b', 'd<c')], { jobs }, {})).toThrow(
      /^base:2:67: expected jobs that follow each other to begin somewhere, got the circle a -> c -> b -> a$/,
    );
  });
});
