/** How far a node is in catching up: what `status` says of it, and what `join` shows as it goes on. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ids } from '../api/facade.fake.ts';
import type { CatchingUpView } from '../api/facade.ts';
import { catchingUpText, showCatchingUp } from './catching-up.ts';
import type { NodeClient } from './node-client.ts';
import { type RunningFake, run, startFake } from './run.testing.ts';

let fake: RunningFake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.stop());

const sotto = (...words: string[]) => run([...words, '--data', fake.data_dir]);
const left = (events_left: number, time_left_ms: number | null = null): CatchingUpView => ({
  events_left,
  events_total: 20_000,
  time_left_ms,
});

test.each([
  [left(12_000, 39_100), '12,000 of 20,000 events to go, about 40 s left'],
  [left(7, 1), '7 of 20,000 events to go, about 1 s left'],
  [left(12_000, 125_000), '12,000 of 20,000 events to go, about 2 minutes left'],
  [left(20_000), '20,000 of 20,000 events to go'],
])('%j in words', (view, words) => {
  expect(catchingUpText(view)).toBe(words);
});

test('status says of each network that it is catching up, and nothing where it is not', async () => {
  fake.node.catching_up = [left(12_000, 40_000), null];
  const line = 'acme is catching up: 12,000 of 20,000 events to go, about 40 s left';
  expect((await sotto('status')).stdout).toContain(`\n\n${line}\n\n`);
  expect((await sotto('status')).stdout).not.toContain('catching up');
});

describe('join', () => {
  const join = (...options: string[]) => sotto('join', 'sotto:x', '--as', 'bob', ...options);
  const asked = () => fake.node.calls.map(([method]) => method);

  test.each([[[]], [['--no-wait']]])('ends at once where there is no terminal, with %j', async (options) => {
    fake.node.catching_up = [left(12_000)];
    expect(await join(...options)).toMatchObject({ stderr: '', exit_code: 0 });
    expect(asked()).toEqual(['join']);
  });

  test('--wait stays until nothing is fetched any more, with a plain line now and then', async () => {
    fake.node.catching_up = [left(12_000, 40_000), left(5_000, 9_000), null];
    const { stdout, stderr, exit_code } = await join('--wait', '--json');
    expect(exit_code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ network_id: ids.network });
    expect(stderr).toBe('catching up: 12,000 of 20,000 events to go, about 40 s left\n42 events are here.\n');
    expect(asked().length).toBeGreaterThan(4);
  });

  test('on a terminal it is a bar that goes when it is done', async () => {
    fake.node.catching_up = [left(20_000), left(10_000, 5_000), null];
    const status = async () => fake.node.facade.status();
    const written: string[] = [];
    const screen = { isTTY: true, columns: 120, write: (text: string) => written.push(text) };
    const joined = { network_id: ids.network, device_id: ids.device };
    await showCatchingUp({ get: status } as unknown as NodeClient, joined, screen);
    expect(written).toEqual([
      '\r[................] 20,000 of 20,000 events to go\x1b[K',
      '\r[########........] 10,000 of 20,000 events to go, about 5 s left\x1b[K',
      '\r\x1b[K',
      '42 events are here.\n',
    ]);
  });

  test('of another network, or of one that was deleted meanwhile, nothing is shown', async () => {
    fake.node.catching_up = [left(20_000)];
    const status = async () => fake.node.facade.status();
    const written: string[] = [];
    const screen = { isTTY: true, columns: 120, write: (text: string) => written.push(text) };
    const joined = { network_id: ids.channel, device_id: ids.device };
    await showCatchingUp({ get: status } as unknown as NodeClient, joined, screen);
    expect(written).toEqual([]);
  });
});
