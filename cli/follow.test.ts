/** Commands that go on: `watch` and `trace --follow`, how they end, and readers that leave early. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeEvent } from '../api/events.ts';
import { ids, traceEntry } from '../api/facade.fake.ts';
import { bin, type RunningFake, start, startFake, writeNodeFile } from './run.testing.ts';

let fake: RunningFake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.stop());

const change = (number: number) => ({
  change: number,
  network_id: ids.network,
  type: 'message',
  event_id: ids.message,
});

const soon = { timeout: 5_000 };

test('watch --json prints each change as one line, as it comes', async () => {
  const { child, ended, printed } = start(['watch', '--json', '--data', fake.data_dir]);
  await vi.waitFor(() => expect(fake.node.listeners()).toBe(1), soon);
  fake.node.tellChange(change(1));
  await vi.waitFor(() => expect(printed()).toBe(`${JSON.stringify(change(1))}\n`), soon);
  fake.node.tellChange(change(2));
  await vi.waitFor(() => expect(printed().split('\n')).toHaveLength(3), soon);
  child.kill('SIGINT');
  expect((await ended).signal).toBe('SIGINT');
  await vi.waitFor(() => expect(fake.node.listeners()).toBe(0), soon);
});

test('watch tells people type and short id', async () => {
  const { child, printed } = start(['watch', '--data', fake.data_dir]);
  await vi.waitFor(() => expect(fake.node.listeners()).toBe(1), soon);
  fake.node.tellChange(change(1));
  await vi.waitFor(() => expect(printed()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}message {2}dddd0001\n$/), soon);
  child.kill();
});

test('the node ends: so does watch, with 3', async () => {
  const { ended } = start(['watch', '--json', '--data', fake.data_dir]);
  await vi.waitFor(() => expect(fake.node.listeners()).toBe(1), soon);
  await fake.served.close();
  const { stdout, exit_code } = await ended;
  expect(JSON.parse(stdout)).toEqual({ error: { code: 'node_stopped', message: 'The node has ended.' } });
  expect(exit_code).toBe(3);
});

test('watch that was too slow says so, with 1', async () => {
  const lagging = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(encodeEvent('change', 1, change(1)) + encodeEvent('lagged', null, {}));
  }).listen(0, '127.0.0.1');
  await once(lagging, 'listening');
  const { port } = lagging.address() as AddressInfo;
  writeNodeFile(fake.data_dir, { pid: process.pid, api: `127.0.0.1:${port}` });
  const { stdout, exit_code } = await start(['watch', '--json', '--data', fake.data_dir]).ended;
  const [first, last] = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(first).toEqual(change(1));
  expect(last).toMatchObject({ error: { code: 'lagged' } });
  expect(exit_code).toBe(1);
  lagging.close();
});

test('trace --follow begins with the past and tells nothing twice', async () => {
  const { child, printed } = start(['trace', '--follow', '--json', '--data', fake.data_dir]);
  await vi.waitFor(() => expect(printed().split('\n')).toHaveLength(3), soon);
  fake.node.tellTrace(traceEntry(2));
  fake.node.tellTrace(traceEntry(3));
  await vi.waitFor(() => expect(printed().split('\n')).toHaveLength(4), soon);
  const entries = printed()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { entry: number }).entry);
  expect(entries).toEqual([1, 2, 3]);
  child.kill();
});

test('trace --follow is readable too', async () => {
  const { child, printed } = start(['trace', '--follow', '--data', fake.data_dir]);
  await vi.waitFor(
    () => expect(printed()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}job sync_request \+1 {2}verify {2}.*42 µs\n/),
    soon,
  );
  child.kill();
});

test('a reader that leaves early is no error', async () => {
  const { ended, child } = start(['watch', '--data', fake.data_dir]);
  await vi.waitFor(() => expect(fake.node.listeners()).toBe(1), soon);
  child.stdout?.destroy();
  const telling = setInterval(() => fake.node.tellChange(change(1)), 10);
  const { exit_code, signal, stderr } = await ended;
  clearInterval(telling);
  expect({ exit_code, signal, stderr }).toEqual({ exit_code: 0, signal: null, stderr: '' });
});

test('a large answer comes whole through a slow pipe', () => {
  const script = `${process.execPath} ${bin} --help | (sleep 0.3; cat)`;
  expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toContain('Exit codes:');
});
