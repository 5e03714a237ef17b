/** The shim: under a Node that is too old it finds the project's own, and is then as good as not there. */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bin, emptyDir, type RunningFake, run, start, startFake } from './run.testing.ts';

const old_node = ['/usr/local/bin/node', '/usr/bin/node'].find(
  (path) => existsSync(path) && majorOf(path) < 26,
);
const has_procfs = existsSync('/proc/self/exe');

let fake: RunningFake;
beforeAll(async () => {
  fake = await startFake();
});
afterAll(() => fake.stop());

describe.skipIf(old_node === undefined)('under an old Node', () => {
  const node = old_node ?? '';

  test('a command works as under the right one, exit code included', async () => {
    const under = { node };
    const good = await run(['status', '--json', '--data', fake.data_dir], under);
    expect(good).toMatchObject({ stderr: '', exit_code: 0 });
    expect(JSON.parse(good.stdout)).toMatchObject({ version: '0.1.0' });
    expect(await run(['reed'], under)).toMatchObject({ stdout: '', exit_code: 2 });
    expect(await run(['status', '--data', emptyDir()], under)).toMatchObject({ stdout: '', exit_code: 3 });
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s goes through, and comes back as the way it ended',
    async (signal) => {
      const { child, ended } = await watching();
      child.kill(signal);
      expect((await ended).signal).toBe(signal);
      await vi.waitFor(() => expect(fake.node.listeners()).toBe(0), { timeout: 5_000 });
    },
  );

  test('killed without mercy it leaves nobody behind', async () => {
    const { child } = await watching();
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(fake.node.listeners()).toBe(0), { timeout: 5_000 });
  });

  test.skipIf(!has_procfs)('the process it starts is the project’s own Node', async () => {
    const { child, ended } = await watching();
    const [started] = childrenOf(child);
    expect(readlinkSync(`/proc/${started}/exe`)).not.toBe(readlinkSync(`/proc/${child.pid}/exe`));
    child.kill();
    await ended;
  });

  test('where there is no other Node it says what is needed', () => {
    const package_dir = emptyDir();
    mkdirSync(join(package_dir, 'cli'));
    copyFileSync(bin, join(package_dir, 'cli', 'bin.js'));
    writeFileSync(join(package_dir, 'package.json'), '{"type":"module"}');
    const without = spawnSync(node, [join(package_dir, 'cli', 'bin.js'), 'status'], { encoding: 'utf8' });
    expect(without).toMatchObject({ status: 1, stdout: '' });
    expect(without.stderr).toMatch(/^sotto: needs Node 26 or newer, and this is \d+\./);
    // One that is as old ends it as well, instead of starting itself for ever.
    mkdirSync(join(package_dir, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(node, join(package_dir, 'node_modules', '.bin', 'node'));
    const with_old = spawnSync(node, [join(package_dir, 'cli', 'bin.js'), 'status'], { encoding: 'utf8' });
    expect(with_old).toMatchObject({ status: 1, stdout: '', stderr: without.stderr });
  });

  async function watching(): Promise<ReturnType<typeof start>> {
    const started = start(['watch', '--data', fake.data_dir], { node });
    await vi.waitFor(() => expect(fake.node.listeners()).toBe(1), { timeout: 5_000 });
    return started;
  }
});

test('the published package, with main.js in place of main.ts, starts the same way', () => {
  const package_dir = emptyDir();
  mkdirSync(join(package_dir, 'cli'));
  copyFileSync(bin, join(package_dir, 'cli', 'bin.js'));
  writeFileSync(join(package_dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(package_dir, 'cli', 'main.js'), 'process.stdout.write("published");');
  const { stdout } = spawnSync(process.execPath, [join(package_dir, 'cli', 'bin.js')], { encoding: 'utf8' });
  expect(stdout).toBe('published');
  expect(existsSync(join(package_dir, 'node_modules'))).toBe(false);
});

function majorOf(node: string): number {
  return Number(spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.split('.')[0]);
}

function childrenOf(child: ChildProcess): string[] {
  const { stdout } = spawnSync('sh', ['-c', `cat /proc/${child.pid}/task/*/children`], { encoding: 'utf8' });
  return stdout.trim().split(' ');
}
