/** `audit`: its three parts, what of them is shown, its exit codes; and that it tells where a secret is, never the secret. */

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ids } from '../api/facade.fake.ts';
import { SottoError } from '../core/assert.ts';
import { createProgram } from './program.ts';
import { emptyDir, type RunningFake, run, startFake } from './run.testing.ts';

let fake: RunningFake;
/** Beside the data directory. */
let folder: string;
beforeAll(async () => {
  fake = await startFake();
});
afterAll(() => fake.stop());
beforeEach(() => {
  folder = emptyDir();
  fake.node.owed = [0];
  fake.node.failing = null;
  fake.node.calls.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  rmSync(join(fake.data_dir, 'sotto.db'), { force: true });
  vi.unstubAllEnvs();
});

const sound = { records: 12, problems: [], compared: 34, skipped: null };

/** A program that checks records: prints these lines. */
function checker(lines: readonly unknown[], more = ''): string {
  const script = join(folder, 'check.mjs');
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  writeFileSync(script, `process.stdout.write(${JSON.stringify(text)});\n${more}`);
  return script;
}

/** In this process, so that the program that checks can be another. */
async function audit(
  args: readonly string[],
  check = checker([{ result: sound }]),
  data_dir = fake.data_dir,
): Promise<{ stdout: string; exit_code: unknown }> {
  let stdout = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const before = process.exitCode;
  try {
    await createProgram({ check }).parseAsync(['audit', '--data', data_dir, ...args], { from: 'user' });
    return { stdout, exit_code: process.exitCode };
  } finally {
    process.exitCode = before;
    spy.mockRestore();
  }
}

async function auditJson(...input: Parameters<typeof audit>) {
  const { stdout, exit_code } = await audit(['--json', ...input[0]], input[1], input[2]);
  return { report: JSON.parse(stdout), exit_code };
}

const put = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('what is forgotten', () => {
  test('keys on their way, the stages, the oldest debt: 4', async () => {
    fake.node.owed = [3];
    const { stdout, exit_code } = await audit(['--no-records', '--network', 'acme']);
    expect(exit_code).toBe(4);
    expect(fake.node.calls).toEqual([['forgetting', { network: 'acme' }]]);
    expect(stdout.split('\n\n')).toEqual([
      'key acac0002: dirty, 3 live messages to rewrap, next run in 40 s (team, plans)\n' +
        '3 keys: 1 clean, 1 unreachable, 1 on the way there.',
      expect.stringMatching(
        /^stage +owed +oldest +next run +held\nrekey_creation +3 +3 minutes ago +in 41 s +-\npurge_keys +0 +- +- +The clock is suspect\\u001b\[2J\.\nreceipts +0 +- +- +-$/,
      ),
      'Owed: 3 in all; the oldest for 3 minutes.\n',
    ]);
  });

  test('--all lists every key', async () => {
    const { stdout } = await audit(['--no-records', '--all']);
    expect(stdout).toMatch(
      /^key acac0001: clean, 9 events under it \(team, plans\)\nkey acac0003: unreachable \(team, plans\)\n2 keys: /,
    );
  });

  test('a refusal of the node ends it: 1', async () => {
    fake.node.failing = { method: 'forgetting', thrown: new SottoError('not_found', 'No such network.') };
    const { stdout, stderr, exit_code } = await run(['audit', '--no-records', '--data', fake.data_dir]);
    expect({ stdout, stderr, exit_code }).toEqual({
      stdout: '',
      stderr: 'sotto: No such network.\n',
      exit_code: 1,
    });
  });
});

describe('the records', () => {
  test('are checked by another program, which is told where: 0', async () => {
    const args_file = join(folder, 'args.json');
    const write_args = `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(args_file)}, JSON.stringify(process.argv.slice(2)));`;
    const check = checker(
      [{ progress: { done: 6, of: 12 } }, 'not JSON', '7', 'null', { result: sound }],
      write_args,
    );
    const argsOf = async (...args: string[]) => {
      const ran = await audit(args, check);
      const said: unknown = JSON.parse(readFileSync(args_file, 'utf8'));
      return { ...ran, said };
    };
    const plain = await argsOf();
    expect(plain).toMatchObject({ exit_code: 0, said: ['--data', fake.data_dir] });
    expect(plain.stdout).toMatch(
      /Nothing is owed\.\n\nRecords: 12 checked; 34 rows of projections compared with a rebuild\. No problem\.\n$/,
    );
    const { said } = await argsOf('--passphrase-file', 'pass', '--protocol', 'app');
    expect(said).toEqual(['--data', fake.data_dir, '--passphrase-file', 'pass', '--protocol', 'app']);
    vi.stubEnv('SOTTO_PASSPHRASE_FILE', 'other');
    expect((await argsOf('--all')).said).toEqual(['--data', fake.data_dir, '--passphrase-file', 'other']);
  });

  test('--json has what it found, or null where it was not asked', async () => {
    fake.node.owed = [3];
    const { report, exit_code } = await auditJson([]);
    expect(exit_code).toBe(4);
    expect(report).toEqual({ forgetting: fake.node.facade.forgetting({}), integrity: sound, search: null });
    expect((await auditJson(['--no-records'])).report).toMatchObject({ integrity: null });
  });

  test('problems are listed, some hundred of them, and outweigh debts: 5', async () => {
    fake.node.owed = [3];
    const problems = [
      { event_id: ids.message, problem: 'its hash is \u001b[2Janother' },
      ...Array.from({ length: 101 }, () => ({ event_id: null, problem: 'a page is torn' })),
    ];
    const check = checker([{ result: { ...sound, problems, compared: 0, skipped: 'too many records' } }]);
    const { stdout, exit_code } = await audit([], check);
    expect(exit_code).toBe(5);
    expect(stdout).toMatch(
      /Records: 12 checked; the projections were not compared: too many records\. 102 problems:\nevent +problem\ndddd0001 +its hash is \\u001b\[2Janother\n- +a page is torn\n[\s\S]*\nand 2 more\.\n$/,
    );
    const { report } = await auditJson([], check);
    expect(report.integrity.problems).toEqual(problems);
  });

  test.each([
    ['a failure, even with a result', [{ result: sound }], 'process.exitCode = 7;', /ended with exit code 7/],
    ['a signal', [], "process.kill(process.pid, 'SIGKILL');", /ended with SIGKILL, and said nothing\./],
    ['no result', [{ progress: { done: 1, of: 2 } }], '', /ended without a result/],
    ['another result', [{ result: { ...sound, problems: [{ problem: 7 }] } }], '', /without a result/],
  ])('%s is shown with what it said: 1', async (_name, lines, more, why) => {
    const said = more.includes('kill')
      ? ''
      : "\nprocess.stderr.write('x'.repeat(9_000) + 'no passphrase\\u001b[2J');";
    const { report, exit_code } = await auditJson([], checker(lines, more + said));
    expect(exit_code).toBe(1);
    const { code, message } = report.integrity.error;
    expect(code).toBe('records_unchecked');
    expect(message).toMatch(why);
    expect(message.length).toBeLessThan(5_000);
    if (said !== '') expect(message.endsWith('xno passphrase\u001b[2J')).toBe(true);
    // The rest is there all the same, and nothing steers the terminal.
    expect(report.forgetting.owed).toBe(0);
    const { stdout } = await audit([], checker(lines, more + said));
    expect(stdout).toMatch(/Nothing is owed\.\n\nThe records could not be checked\./);
    expect(stdout).not.toContain('\u001b');
  });
});

describe('the search', () => {
  const secret = 'the moon is made of cheese';
  const hex = Buffer.from('other words to be forgotten');

  test('says where which secret is, never the secret: 5', async () => {
    const secrets = put(
      'secrets',
      `# what must be gone\nnot there at all\n${secret}\nhex:${hex.toString('hex')}\n`,
    );
    const database = join(fake.data_dir, 'sotto.db');
    writeFileSync(database, `${'-'.repeat(100)}${secret}-----${hex}`);
    const args = ['--search', secrets, '--data', fake.data_dir];
    const people = await run(['audit', '--no-records', ...args]);
    const program = await run(['audit', '--json', '--no-records', ...args]);
    expect(people).toMatchObject({ stderr: '', exit_code: 5 });
    expect(program).toMatchObject({ stderr: '', exit_code: 5 });
    expect(people.stdout).toMatch(
      /\n\nSearch: 3 secrets in 3 files \(1 kB\): found in 2 places:\nfile .*\n\S+sotto\.db +100 +2 \(line 3\) +26\n\S+sotto\.db +131 +3 \(line 4\) +27\n$/,
    );
    expect(JSON.parse(program.stdout).search).toMatchObject({
      secrets: 3,
      found: 2,
      findings: [
        { file: database, offset: 100, length: 26, secret: 2, line: 3 },
        { file: database, offset: 131, length: 27, secret: 3, line: 4 },
      ],
      unread: [],
    });
    for (const one of [
      'not there at all',
      secret,
      hex.toString(),
      hex.toString('hex'),
      hex.toString('base64'),
    ]) {
      for (let at = 0; at + 8 <= one.length; at += 1) {
        const part = one.slice(at, at + 8);
        for (const { stdout, stderr } of [people, program]) expect(stdout + stderr).not.toContain(part);
      }
    }
  });

  test('nothing found: 0', async () => {
    const { stdout, exit_code } = await audit(['--search', put('secrets', secret)]);
    expect(exit_code).toBe(0);
    expect(stdout).toMatch(/No problem\.\n\nSearch: 1 secret in 2 files \(\d+ kB\): nothing was found\.\n$/);
  });

  test('of many places some are shown, and how many more there are', async () => {
    writeFileSync(join(fake.data_dir, 'sotto.db'), `${secret}-`.repeat(30));
    const { stdout, exit_code } = await audit(['--no-records', '--search', put('secrets', secret)]);
    expect(exit_code).toBe(5);
    expect(stdout).toMatch(/found in 30 places:\n[\s\S]*\nand 10 more\.\n$/);
  });

  test('what could not be searched is named: 1', async () => {
    const link = join(fake.data_dir, 'elsewhere');
    symlinkSync(folder, link);
    try {
      const { stdout, exit_code } = await audit(['--search', put('secrets', secret)]);
      expect(exit_code).toBe(1);
      expect(stdout).toMatch(
        /nothing was found\.\ncould not be searched +why\n\S+elsewhere +a link to a folder/,
      );
    } finally {
      rmSync(link);
    }
  });

  test('a file without secrets, or one that would find itself, is refused before anything is done', async () => {
    await expect(audit(['--search', put('secrets', '# none\n')])).rejects.toMatchObject({
      code: 'no_secrets',
      exit_code: 2,
    });
    const inside = join(fake.data_dir, 'inside');
    mkdirSync(inside);
    writeFileSync(join(inside, 'secrets'), secret);
    try {
      await expect(audit(['--search', join(inside, 'secrets')])).rejects.toMatchObject({
        code: 'secrets_in_data_dir',
        exit_code: 2,
      });
    } finally {
      rmSync(inside, { recursive: true });
    }
    expect(fake.node.calls).toEqual([]);
  });
});

describe('without a running node', () => {
  test('the rest is done, and it says so: 3', async () => {
    const data_dir = join(folder, 'data');
    mkdirSync(data_dir);
    writeFileSync(join(data_dir, 'sotto.db'), 'nothing of interest');
    const args = ['--search', put('secrets', 'the moon is made of cheese')];
    const { stdout, exit_code } = await audit(args, undefined, data_dir);
    expect(exit_code).toBe(3);
    expect(stdout).toMatch(
      /^The states of the keys need the node running\. No node is running on .*\n\nRecords: 12 checked.*\n\nSearch: .*nothing was found\.\n$/,
    );
    const { report } = await auditJson(args, undefined, data_dir);
    expect(report).toMatchObject({
      forgetting: { error: { code: 'node_not_running' } },
      integrity: sound,
      search: { found: 0 },
    });
    writeFileSync(join(data_dir, 'sotto.db'), 'the moon is made of cheese');
    expect(await audit(args, undefined, data_dir)).toMatchObject({ exit_code: 5 });
  });

  test('a data directory that is not there is an error: 3', async () => {
    await expect(audit([], undefined, join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'node_not_running',
      exit_code: 3,
    });
  });
});
