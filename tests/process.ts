/**
 * Real nodes in processes of their own, for tests that kill them: started through the command line, spoken to through their API.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './support.ts';

export const CLI = fileURLToPath(new URL('../cli/bin.js', import.meta.url));

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface StartedNode {
  readonly pid: number;
  readonly api: string;
  readonly listen: string;
}

/** A port of this machine that nobody has: for nodes that come back under the same address. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export class NodeProcess {
  readonly data: string;
  readonly listen: string;
  readonly args: readonly string[];
  /** Added to the environment of the lives that begin from now on. */
  env: Readonly<Record<string, string>>;
  /** Everything the node has printed, all its lives together. */
  output = '';
  #child: ChildProcess | null = null;
  #api = '';

  constructor(
    listen: string,
    options: { data?: string; args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
  ) {
    this.data = options.data ?? join(temporaryFolder(), 'node');
    this.listen = listen;
    this.args = options.args ?? [];
    this.env = options.env ?? {};
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get api(): string {
    return this.#api;
  }

  /** Resolves when the node says that it runs; rejects with what it printed if it ends instead. */
  start(): Promise<StartedNode> {
    // As `npm start` does.
    const args = [
      '--max-semi-space-size=4',
      CLI,
      'start',
      '--data',
      this.data,
      '--listen',
      this.listen,
      '--api',
      '127.0.0.1:0',
      '--json',
      ...this.args,
    ];
    const env = { ...process.env, ...this.env };
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    running.add(child);
    this.#child = child;
    return new Promise((resolve, reject) => {
      let stdout = '';
      child.stderr.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
        this.output += chunk.toString();
        const line = stdout.split('\n')[0];
        if (line === undefined || !stdout.includes('\n')) return;
        const started = JSON.parse(line) as StartedNode & { error?: { code: string; message: string } };
        if (started.error !== undefined)
          return reject(new Error(`${started.error.code}: ${started.error.message}`));
        this.#api = started.api;
        resolve(started);
      });
      child.on('exit', (code, signal) => {
        running.delete(child);
        reject(new Error(`the node ended (${code ?? signal}): ${this.output.slice(-2_000)}`));
      });
    });
  }

  /** Ends the process with a signal; resolves with the milliseconds it took. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return Promise.resolve(0);
    const began = performance.now();
    return new Promise((resolve) => {
      child.on('exit', () => resolve(performance.now() - began));
      child.kill(signal);
    });
  }

  /** Asks the node's API. Rejects with the error's code and message. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = readFileSync(join(this.data, 'api.token'), 'utf8').trim();
    const response = await fetch(`http://${this.#api}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { error?: { code: string; message: string } };
    if (!response.ok) throw new Error(`${answer.error?.code}: ${answer.error?.message}`);
    return answer;
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the command line on the data of a node, in the node's environment. */
export function sotto(node: NodeProcess, ...words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...node.env };
    execFile(
      process.execPath,
      [CLI, '--data', node.data, ...words],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** Waits until `holds` gives true; rejects with `what` after `timeout_ms`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeout_ms = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeout_ms;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeout_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
