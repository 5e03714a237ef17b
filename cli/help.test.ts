/** Help: every command explains itself with an example that is a command, and none of it is slow. */

import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { type StartOptions, startOptions } from './commands/node.ts';
import { createProgram } from './program.ts';
import { run } from './run.testing.ts';

function commandsUnder(command: Command, path: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((one) => {
    const name = [...path, one.name()];
    return [[name.join(' '), one] as [string, Command], ...commandsUnder(one, name)];
  });
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

const all = commandsUnder(createProgram());

test('all commands of the node are there', () => {
  expect(all.map(([name]) => name).toSorted()).toEqual(
    [
      'start|status|network|network create|network list|network delete|leave',
      'invite|invite create|invite list|invite revoke|join',
      'members|grant|revoke|whoami|rename',
      'device|device link|device list|peers|remove|remove user|remove device',
      'group|group create|group list|group add|group remove|group delete',
      'channel|channel create|channel list|channel delete|disappear|unread',
      'send|dm|read|react|edit|versions|delivery|delete',
      'forget|receipts|deletions|audit|passphrase|passphrase change|passphrase remove',
      'keys|keys list|prekeys|prekeys list|why',
      'jobs|jobs list|jobs next|jobs run|jobs preview|jobs pause|jobs resume|jobs history|jobs why',
      'clock|clock confirm|reflectors|reflectors list|queries|queries list|query',
      'commands|commands list|command|trace|watch',
    ]
      .join('|')
      .split('|')
      .toSorted(),
  );
});

test.each(all)(
  'sotto %s --help describes it, names the global options and has an example',
  (name, command) => {
    const text = helpOf(command);
    expect(command.description()).toMatch(/^[A-Z].*\.$/);
    expect(text).toContain('--data <dir>');
    expect(text).toContain('--json');
    const example = /Example:\n {2}\$ sotto (.+)\n/.exec(text)?.[1] ?? '';
    // A group's example is one of its own commands.
    expect(`${example} `.startsWith(`${name} `)).toBe(true);
    const shown = all.findLast(([one]) => `${example} `.startsWith(`${one} `))?.[1];
    expect(shown?.commands).toEqual([]);
  },
);

test('start takes a passphrase file, under the name by which a host reads it', () => {
  const start = all.find(([name]) => name === 'start')![1];
  expect(helpOf(start)).toMatch(/--passphrase-file <file>[\s\S]*\$SOTTO_PASSPHRASE_FILE/);
  start.parseOptions(['--passphrase-file', 'secret.txt']);
  expect(start.opts<StartOptions>().passphraseFile).toBe('secret.txt');
});

test('start looks for peers on the LAN if told to, and is reachable there then unless told otherwise', () => {
  const started = (...words: string[]) => {
    const start = createProgram().commands.find((command) => command.name() === 'start')!;
    start.parseOptions(words);
    const { lan, listen } = startOptions(start);
    return { lan, listen };
  };
  expect(helpOf(createProgram().commands.find((command) => command.name() === 'start')!)).toMatch(/--lan /);
  expect(started()).toEqual({ lan: undefined, listen: '127.0.0.1:0' });
  expect(started('--lan')).toEqual({ lan: true, listen: '0.0.0.0:0' });
  expect(started('--lan', '--listen', '127.0.0.1:0')).toEqual({ lan: true, listen: '127.0.0.1:0' });
});

test.each([[['--help']], [['help']], [['jobs', 'run', '--help']], [['help', 'send']]])(
  'sotto %j is a success on stdout',
  async (args) => {
    const { stdout, stderr, exit_code } = await run(args);
    expect({ stderr, exit_code }).toEqual({ stderr: '', exit_code: 0 });
    expect(stdout).toContain('Usage: sotto');
  },
);

test('the exit codes are documented', async () => {
  const { stdout } = await run(['--help']);
  for (const line of [
    /^ {2}0 {2}done/m,
    /^ {2}1 .*refused/m,
    /^ {2}2 .*wrong/m,
    /^ {2}3 .*running/m,
    /^ {2}4 .*owed/m,
    /^ {2}5 .*wrong/m,
  ]) {
    expect(stdout).toMatch(line);
  }
});

test.each([
  ['forget', ['0', '4']],
  ['audit', ['0', '4', '3', '1', '5']],
])('so are those of %s, in its own help', (name, codes) => {
  const text = helpOf(all.find(([one]) => one === name)![1]);
  expect([...text.matchAll(/^ {2}(\d) {2}/gm)].map(([, code]) => code)).toEqual(codes);
});

test.each(['channel delete', 'group delete'])('%s says what it does to whom', (name) => {
  const words = all.find(([one]) => one === name)![1].description();
  expect(words).toMatch(/for everybody\. Cannot be undone\./);
});

test('sotto --version prints it alone', async () => {
  const { stdout, exit_code } = await run(['--version']);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(exit_code).toBe(0);
});

test('help takes less than a quarter of a second', async () => {
  const durations: number[] = [];
  for (let at = 0; at < 5; at += 1) {
    const began = performance.now();
    await run(['--help']);
    durations.push(performance.now() - began);
  }
  // The best of five: what it costs, not what else this machine does.
  expect(Math.min(...durations)).toBeLessThan(250);
});
