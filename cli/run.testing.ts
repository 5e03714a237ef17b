/** For tests: a fake node behind a real HTTP API in a data directory of its own, and the real CLI run against it as a process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeNode, type FakeNode } from '../api/facade.fake.ts';
import { createApi } from '../api/routes.ts';
import { allowedHosts, type ServedApi, serveApi } from '../api/serve.ts';

export const bin = join(import.meta.dirname, 'bin.js');

export interface RunningFake {
  readonly node: FakeNode;
  readonly data_dir: string;
  readonly served: ServedApi;
  stop(): Promise<void>;
}

export async function startFake(): Promise<RunningFake> {
  const node = createFakeNode();
  const token = 'a-token-of-the-test';
  const app = createApi(node.facade, { token, allowed_hosts: () => allowedHosts(served.address) });
  const served = await serveApi(app, '127.0.0.1:0');
  const data_dir = emptyDir();
  writeNodeFile(data_dir, { pid: process.pid, api: served.address, listen: null, started_ms: Date.now() });
  writeFileSync(join(data_dir, 'api.token'), `${token}\n`);
  return {
    node,
    data_dir,
    served,
    stop: async () => {
      await served.close();
      rmSync(data_dir, { recursive: true });
    },
  };
}

export function emptyDir(): string {
  return mkdtempSync(join(tmpdir(), 'sotto-cli-'));
}

export function writeNodeFile(data_dir: string, content: object): void {
  writeFileSync(join(data_dir, 'node.json'), JSON.stringify(content));
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit_code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts the CLI; `ended` resolves once it is over, with all that it printed. */
export function start(
  args: readonly string[],
  { node = process.execPath, env = {} }: { node?: string; env?: NodeJS.ProcessEnv } = {},
): { child: ChildProcess; ended: Promise<Ran>; printed: () => string } {
  const { SOTTO_DATA: _, ...rest } = process.env;
  const child = spawn(node, [bin, ...args], {
    env: { ...rest, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit_code, signal) => resolve({ stdout, stderr, exit_code, signal }));
  });
  return { child, ended, printed: () => stdout };
}

export function run(args: readonly string[], options?: Parameters<typeof start>[1]): Promise<Ran> {
  return start(args, options).ended;
}
