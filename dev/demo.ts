/**
 * `npm run demo`: two nodes in processes of their own meet, talk and end, by the same commands that a person would type. Takes half a minute
 * and leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../cli/bin.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sotto-demo-'));
const children = new Set<ChildProcess>();

const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
const indented = (text: string) => text.trimEnd().replace(/^/gm, '    ');

function startNode(name: string): Promise<ChildProcess> {
  const args = [
    CLI,
    'start',
    '--data',
    join(folder, name),
    '--listen',
    '127.0.0.1:0',
    '--api',
    '127.0.0.1:0',
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SOTTO_LOG: 'warn' },
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    let output = '';
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      if (!output.includes('Stop with')) return;
      console.log(bold(`\n${name}$ sotto start`));
      console.log(indented(output));
      child.stdout?.off('data', hear);
      child.stdout?.resume();
      resolve(child);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    child.on('exit', (code) => {
      children.delete(child);
      reject(new Error(`${name}'s node ended with ${code} before it ran: ${output}`));
    });
  });
}

/** Runs a command as one of the two would type it; shows it and its output. */
function type(name: string, words: readonly string[], show = true): Promise<string> {
  const child = spawn(process.execPath, [CLI, ...words, '--data', join(folder, name)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => {
      if (show) {
        const typed = words.map((word) => (/[^\w:/.=#-]/.test(word) ? `'${word}'` : word)).join(' ');
        console.log(bold(`\n${name}$ sotto ${typed.length > 100 ? `${typed.slice(0, 60)}...` : typed}`));
        console.log(indented(output));
      }
      if (code === 0) resolve(output);
      else reject(new Error(`sotto ${words[0]} ended with ${code}: ${output}`));
    });
  });
}

async function typeJson<T>(name: string, words: readonly string[]): Promise<T> {
  return JSON.parse(await type(name, [...words, '--json'], false)) as T;
}

/** Waits until the node of `name` shows `count` messages or reactions. */
async function seen(name: string, what: 'messages' | 'reactions', count: number): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const messages = await typeJson<{ reactions: unknown[] }[]>(name, ['read', 'general']);
    const found =
      what === 'messages' ? messages.length : messages.flatMap((message) => message.reactions).length;
    if (found >= count) return;
    if (Date.now() > deadline) throw new Error(`${name} does not see ${count} ${what}`);
  }
}

function end(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
}

async function demo(): Promise<void> {
  const began = Date.now();
  console.log('Two nodes, each in a process and a data directory of its own.');
  const alice = await startNode('alice');
  const bob = await startNode('bob');

  await type('alice', ['network', 'create', 'Home', '--as', 'alice']);
  await type('alice', ['invite', 'create']);
  const { link } = await typeJson<{ link: string }>('alice', ['invite', 'create']);
  await type('bob', ['join', link, '--as', 'bob']);

  await type('alice', ['send', 'general', 'Hello Bob, can you read this?']);
  await seen('bob', 'messages', 1);
  await type('bob', ['send', 'general', 'Loud and clear.']);
  await seen('alice', 'messages', 2);
  const messages = await typeJson<{ message_id: string; author: string }[]>('alice', ['read', 'general']);
  const first = messages.find((message) => message.author === 'alice');
  if (first === undefined) throw new Error("alice's message is not there");
  await type('bob', ['react', first.message_id.slice(12, 20), '👋']);
  await seen('alice', 'reactions', 1);
  await type('alice', ['read', 'general']);

  console.log('\nWhat made it happen: a job, because time passed ...');
  await type('alice', ['jobs', 'history', 'sync_request', '--limit', '3']);
  console.log('\n... and reflectors, because an event became valid:');
  await type('alice', ['query', 'get_notifications', '-p', 'limit=5']);
  const trace = await typeJson<
    { cause: string; handler: string; type: string | null; outcome: string; duration_us: number }[]
  >('alice', ['trace', '--limit', '1000']);
  const reflected = trace.filter(
    (entry) => entry.cause.startsWith('reflector') && entry.outcome !== 'duplicate',
  );
  const lines = new Map(
    reflected.map((entry) => [
      `${entry.cause.replace(/ on .*/, '').padEnd(36)} -> ${entry.type ?? 'event'} (${entry.handler}: ${entry.outcome})`,
      entry,
    ]),
  );
  console.log(indented([...lines.keys()].slice(-8).join('\n')));

  const codes = await Promise.all([end(alice), end(bob)]);
  if (codes.some((code) => code !== 0)) throw new Error(`the nodes ended with ${codes.join(' and ')}`);
  console.log(`\nBoth nodes ended cleanly. ${((Date.now() - began) / 1000).toFixed(0)} seconds in all.`);
}

try {
  await demo();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
