/** What goes wrong, in both forms: an exit code that scripts can rely on, and words that say what to do. */

import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SottoError } from '../core/assert.ts';
import { emptyDir, type RunningFake, run, startFake, writeNodeFile } from './run.testing.ts';

let fake: RunningFake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.stop());

/** Runs it both ways, and gives what both must agree on. */
async function fails(
  args: readonly string[],
): Promise<{ exit_code: number | null; code: string; message: string }> {
  const [people, program] = await Promise.all([run(args), run([args[0] ?? '', '--json', ...args.slice(1)])]);
  expect(people.stdout).toBe('');
  expect(program.exit_code).toBe(people.exit_code);
  const { error, ...rest } = JSON.parse(program.stdout) as { error: { code: string; message: string } };
  expect(rest).toEqual({});
  expect(Object.keys(error)).toEqual(['code', 'message']);
  expect(people.stderr).toBe(`sotto: ${error.message}\n`);
  return { exit_code: people.exit_code, ...error };
}

test('the node refuses: 1, with its own code and words', async () => {
  fake.node.failing = { method: 'read', thrown: new SottoError('ambiguous', 'Two channels are called x.') };
  expect(await fails(['read', 'x', '--data', fake.data_dir])).toEqual({
    exit_code: 1,
    code: 'ambiguous',
    message: 'Two channels are called x.',
  });
});

test('a name that the node quotes cannot steer the terminal', async () => {
  const thrown = new SottoError('ambiguous', 'There is bob\u001b[2J and\nbob.');
  fake.node.failing = { method: 'removeUser', thrown };
  const { stderr } = await run(['remove', 'user', 'bob', '--data', fake.data_dir]);
  expect(stderr).toBe('sotto: There is bob\\u001b[2J and\nbob.\n');
});

describe('the command line is wrong: 2', () => {
  test.each([
    [['reed'], 'usage', /unknown command 'reed'[\s\S]*read/],
    [['read'], 'usage', /channel/],
    [['read', 'general', 'more'], 'usage', /too many arguments/],
    [['status', '--verbose'], 'usage', /--verbose/],
    [['network', 'create', 'acme'], 'usage', /--as/],
    [['read', 'general', '--limit', '0'], 'bad_number', /1 to 1000, got "0"/],
    [['read', 'general', '--limit', '1e3'], 'bad_number', /"1e3"/],
    [['trace', '--limit', '1001'], 'bad_number', /"1001"/],
    [['invite', 'create', '--uses', '-1'], 'bad_number', /"-1"/],
    [['invite', 'create', '--expires', '7'], 'bad_duration', /7d.*got "7"/],
    [['send', 'general', 'Hi', '--ttl', 'soon'], 'bad_duration', /"soon"/],
    [['join', 'sotto:x', '--as', 'bob', '--timeout', '-5s'], 'bad_duration', /"-5s"/],
    [['device', 'link', '--expires', 'never'], 'bad_duration', /"never"/],
    [['dm', 'bob', 'Hi', '--ttl', '1'], 'bad_duration', /"1"/],
    [['send', 'general', 'Hi', '--ttl', ''], 'bad_duration', /never, got ""/],
    [['disappear', 'general'], 'usage', /time/],
    [['disappear', 'general', 'often'], 'bad_duration', /7d.*never, got "often"/],
    [['disappear', '..', '7d'], 'bad_name', /got "\.\."/],
    [['channel', 'delete'], 'usage', /channel/],
    [['channel', 'delete', ''], 'bad_name', /got ""/],
    [['group', 'delete', '..'], 'bad_name', /got "\.\."/],
    [['receipts', '--limit', '10001'], 'bad_number', /1 to 10000, got "10001"/],
    [['receipts', '--since', '2026-02-31'], 'bad_time', /7d.*2026-01-31, got "2026-02-31"/],
    [['forget'], 'now_missing', /--now: it runs the chain of forgetting at once, without the grace/],
    [['audit', '--search', '/nowhere'], 'no_such_file', /\/nowhere/],
    [['group', 'create', '--with', 'bob', 'team'], 'usage', /name/],
    [['grant', 'admn', 'bob'], 'bad_right', /admin, invite, delete.*got "admn"/],
    [['revoke', 'bob', 'admin'], 'bad_right', /got "bob"/],
    [['network', 'delete'], 'usage', /network/],
    [['network', 'delete', '--network', 'acme'], 'usage', /--network/],
    [['network', 'delete', ''], 'bad_name', /got ""/],
    [['remove', 'user', '.'], 'bad_name', /got "\."/],
    // Would else have been DELETE /v1/members/bob.
    [['group', 'remove', '..', 'bob'], 'bad_name', /got "\.\."/],
    [['query', 'get_active_peers', '-p', 'network_id'], 'bad_parameter', /key=value, got "network_id"/],
    [['query', 'get_active_peers', '-p', 'a=1', '-p', 'a=2'], 'bad_parameter', /a is given twice/],
  ])('sotto %j', async (args, code, message) => {
    const failure = await fails([...args, '--data', fake.data_dir]);
    expect(failure).toMatchObject({ exit_code: 2, code });
    expect(failure.message).toMatch(message);
    expect(fake.node.calls).toEqual([]);
  });

  test.each([[[]], [['jobs']]])('sotto %j alone shows the help', async (args) => {
    const { stdout, stderr, exit_code } = await run(args);
    expect({ stdout, exit_code }).toEqual({ stdout: '', exit_code: 2 });
    expect(stderr).toContain('Usage: sotto');
  });
});

describe('no node there: 3', () => {
  test.each([['status'], ['watch'], ['trace']])('sotto %s without a node', async (command) => {
    const data_dir = emptyDir();
    const failure = await fails([command, '--data', data_dir]);
    expect(failure).toMatchObject({ exit_code: 3, code: 'node_not_running' });
    expect(failure.message).toContain(`sotto start --data ${data_dir}`);
  });

  test('a file of a node that crashed: its port, perhaps somebody else’s now, never gets the token', async () => {
    const gone = (await run(['--version'])) && (await deadPid());
    writeNodeFile(fake.data_dir, { pid: gone, api: fake.served.address });
    expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
      exit_code: 3,
      code: 'node_not_running',
    });
    expect(fake.node.calls).toEqual([]);
  });

  test('a node whose port is closed', async () => {
    await fake.served.close();
    expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
      exit_code: 3,
      code: 'node_not_running',
    });
  });

  test('a node that is just starting', async () => {
    writeNodeFile(fake.data_dir, { pid: process.pid, api: null });
    const failure = await fails(['status', '--data', fake.data_dir]);
    expect(failure).toMatchObject({ exit_code: 3, code: 'node_not_running' });
    expect(failure.message).toContain('starting');
  });

  test('files that are not as a node leaves them', async () => {
    writeFileSync(join(fake.data_dir, 'node.json'), '{"pid":');
    expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
      exit_code: 3,
      code: 'bad_node_file',
    });
    writeNodeFile(fake.data_dir, { pid: process.pid, api: fake.served.address });
    rmSync(join(fake.data_dir, 'api.token'));
    expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
      exit_code: 3,
      code: 'token_missing',
    });
  });

  test('something else that answers there', async () => {
    const stranger: Server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    const { port } = stranger.address() as AddressInfo;
    writeNodeFile(fake.data_dir, { pid: process.pid, api: `127.0.0.1:${port}` });
    expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
      exit_code: 3,
      code: 'bad_answer',
    });
    stranger.close();
  });
});

test('a token that is not the node’s is refused by it', async () => {
  writeFileSync(join(fake.data_dir, 'api.token'), 'wrong');
  expect(await fails(['status', '--data', fake.data_dir])).toMatchObject({
    exit_code: 1,
    code: 'token_wrong',
  });
});

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const { spawnSync } = await import('node:child_process');
  return spawnSync(process.execPath, ['-e', '']).pid;
}
