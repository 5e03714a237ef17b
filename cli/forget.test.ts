/** `forget --now`: asks until there is no more to do, shows how far it is on a terminal only, and its exit code says whether anything is left. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SottoError } from '../core/assert.ts';
import { startProgress } from './progress.ts';
import { emptyDir, type RunningFake, run, startFake } from './run.testing.ts';

let fake: RunningFake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.stop());

const forget = (...options: string[]) => run(['forget', '--now', ...options, '--data', fake.data_dir]);

test('it asks until nothing goes on, and shows the receipts as they are at the end: 0', async () => {
  fake.node.owed = [3, 1, 0];
  const { stdout, stderr, exit_code } = await forget('--network', 'acme');
  expect(fake.node.calls).toEqual([
    ...Array.from({ length: 3 }, () => ['forget', { network: 'acme' }]),
    ['receipts', { since_ms: expect.any(Number), limit: 10_000 }],
  ]);
  // No terminal: no progress.
  expect({ stderr, exit_code }).toEqual({ stderr: '', exit_code: 0 });
  expect(stdout).toMatch(
    /^receipt .*\n2 +group key +acac0003 .* 1 minute ago\n\nNothing is owed any more\.\n$/,
  );
});

test('what is still owed is shown with what it waits for: 4', async () => {
  fake.node.owed = [3, 2];
  const { stdout, stderr, exit_code } = await forget();
  expect({ stderr, exit_code }).toEqual({ stderr: '', exit_code: 4 });
  expect(stdout).toMatch(
    /\n\nStill owed, 2 in all:\nstage.*\nrekey_creation +2 +3 minutes ago +for its next run, in \d\d s\n\nKey by key: sotto audit --no-records\n$/,
  );
});

test('--json is one document, the last answer with all receipts', async () => {
  fake.node.owed = [3, 2];
  const { stdout, exit_code } = await forget('--json');
  expect(exit_code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({
    goes_on: false,
    owed: 2,
    stages: [{ stage: 'rekey_creation', owed: 2 }, {}, {}],
    receipts: [{ receipt: 2, state: 'unreachable' }],
  });
});

test('a refusal is a refusal: 1', async () => {
  fake.node.failing = { method: 'forget', thrown: new SottoError('not_found', 'No such network.') };
  expect(await forget()).toMatchObject({ stdout: '', stderr: 'sotto: No such network.\n', exit_code: 1 });
});

test('without --now it says what that does, even without a node', async () => {
  const { stdout, stderr, exit_code } = await run(['forget', '--data', emptyDir()]);
  expect({ stdout, exit_code }).toEqual({ stdout: '', exit_code: 2 });
  expect(stderr).toMatch(/^sotto: Expected --now: it runs the chain of forgetting at once/);
});

describe('progress', () => {
  function terminal(isTTY: boolean, columns = 20) {
    const written: string[] = [];
    return { isTTY, columns, written, write: (text: string) => written.push(text) };
  }

  test('is one line that is written over, short enough, not too often, and goes', () => {
    const screen = terminal(true);
    let now_ms = 5;
    const progress = startProgress(screen, () => now_ms);
    progress.tell('one');
    now_ms += 99;
    progress.tell('too soon');
    now_ms += 1;
    progress.tell('日本 and much more than fits');
    progress.end();
    expect(screen.written).toEqual(['\rone\x1b[K', '\r日本 and much more \x1b[K', '\r\x1b[K']);
  });

  test.each([[0], [1]])('ends in a terminal of %i columns, too', (columns) => {
    const screen = terminal(true, columns);
    startProgress(screen).tell('one');
    expect(screen.written).toEqual([`\r${columns === 0 ? 'one' : ''}\x1b[K`]);
  });

  test('is nothing where there is no terminal, and leaves none where nothing was told', () => {
    const pipe = terminal(false);
    const piped = startProgress(pipe);
    piped.tell('one');
    piped.end();
    const screen = terminal(true);
    startProgress(screen).end();
    expect([pipe.written, screen.written]).toEqual([[], []]);
  });
});
