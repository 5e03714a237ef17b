/** `passphrase`: changes or takes away what seals the keys of a data directory. Without a node: no node may be running there. */

import type { Command } from 'commander';
import { addGroup, type Options, print, withExample } from '../verb.ts';

interface PassphraseOptions extends Options {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
}

const file_option = [
  '--passphrase-file <file>',
  'holds the passphrase that is set; $SOTTO_PASSPHRASE_FILE if that is set',
] as const;

export function addPassphraseCommands(program: Command): void {
  const passphrase = addGroup(
    program,
    'passphrase',
    'What seals the keys of a data directory. Stop its node first. `start --passphrase-file` sets one, too.',
    'passphrase change --passphrase-file old.txt --new-passphrase-file new.txt',
  );
  const change = passphrase
    .command('change')
    .description(
      'Seal the keys with another passphrase, or with a first one. The old one opens nothing any more.',
    )
    .option(...file_option)
    .requiredOption('--new-passphrase-file <file>', 'holds the new one');
  withExample(change, 'passphrase change --passphrase-file old.txt --new-passphrase-file new.txt').action(
    () => run(change, 'The passphrase is another now. Start the node with it.'),
  );
  const remove = passphrase
    .command('remove')
    .description('Take the passphrase away: whoever can read the data directory can read everything then.')
    .option(...file_option);
  withExample(remove, 'passphrase remove --passphrase-file old.txt').action(() =>
    run(remove, 'There is no passphrase any more.'),
  );
}

async function run(command: Command, done: string): Promise<void> {
  const { data, json, passphraseFile, newPassphraseFile } = command.optsWithGlobals<PassphraseOptions>();
  const host = await import('../../hosts/node/main.ts');
  await host.changePassphrase({
    data_dir: data,
    passphrase_file: passphraseFile ?? (process.env.SOTTO_PASSPHRASE_FILE || undefined),
    new_passphrase_file: newPassphraseFile,
  });
  print(json ? JSON.stringify({ sealed: newPassphraseFile !== undefined }) : done);
}
