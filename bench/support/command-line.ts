/** The command line, as people start it: real processes, timed from outside. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nowMs } from './clock.ts';

const CLI = fileURLToPath(new URL('../../cli/bin.js', import.meta.url));

/** Runs a command to its end. Milliseconds from its start; throws if it did not end well. */
export async function timeCommand(...words: readonly string[]): Promise<number> {
  const begun = nowMs();
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`expected sotto ${words[0]} to end with 0, got ${code}`);
  return nowMs() - begun;
}

/** Starts a node on a data directory, waits until it says that it runs, and ends it. Milliseconds until it said so. */
export async function timeStart(data_dir: string): Promise<number> {
  const begun = nowMs();
  const args = ['start', '--data', data_dir, '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0', '--json'];
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SOTTO_LOG: 'error' },
  });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  const runs = new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('"pid"')) resolve(nowMs() - begun);
    });
    child.on('exit', (code) => reject(new Error(`the node ended with ${code} before it ran`)));
  });
  try {
    return await runs;
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}
