/** All commands of `sotto` together, with what they share: where the data is, `--json`, and how help looks. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addAuditCommand } from './commands/audit.ts';
import { addChannelCommands } from './commands/channels.ts';
import { addChatCommands } from './commands/chat.ts';
import { addDeviceCommands } from './commands/devices.ts';
import { addFollowCommands } from './commands/follow.ts';
import { addForgettingCommands } from './commands/forgetting.ts';
import { addGroupCommands } from './commands/groups.ts';
import { addInviteCommands } from './commands/invites.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addMemberCommands } from './commands/members.ts';
import { addNetworkCommands } from './commands/network.ts';
import { addNodeCommands } from './commands/node.ts';
import { addPassphraseCommands } from './commands/passphrase.ts';
import { addProtocolCommands } from './commands/protocol.ts';

const after_help = `
Exit codes:
  0  done
  1  the node refused, and said why
  2  the command line is wrong
  3  no node is running there, or it cannot be reached
  4  audit, forget: something is still owed to forgetting
  5  audit: something is wrong

With --json, stdout holds exactly one JSON document (one per line while following), also for an error:
{"error":{"code","message"}}. Without, errors go to stderr.

Example:
  $ sotto start                                 # in one terminal
  $ sotto network create Acme --as alice        # in another
  $ sotto send general "Hello"`;

/** What `audit` runs: in the published package, what tsc made of it, as this file is what tsc made of this one. */
const check_script = fileURLToPath(
  import.meta.resolve('../hosts/node/audit-main.ts').replace(/\.ts$/, extname(import.meta.url)),
);

/**
 * Builds the program. `exitOverride` makes commander throw instead of ending the process, so that `main` alone says how we end.
 *
 * @param scripts other programs to run than ours, for tests
 */
export function createProgram(scripts: { readonly check: string } = { check: check_script }): Command {
  const program = new Command('sotto')
    .description('Runs a Sotto node, and talks to the one that runs.')
    .version(version())
    .option(
      '--data <dir>',
      "the node's data directory; $SOTTO_DATA if that is set",
      (dir) => resolve(dir),
      dataDir(),
    )
    .option('--json', 'print JSON', false)
    .addHelpText('after', after_help)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  // In front of the commands: they take these settings from the program when they are made.
  addNodeCommands(program);
  addNetworkCommands(program);
  addInviteCommands(program);
  addMemberCommands(program);
  addDeviceCommands(program);
  addGroupCommands(program);
  addChannelCommands(program);
  addChatCommands(program);
  addKeyCommands(program);
  addForgettingCommands(program);
  addAuditCommand(program, scripts.check);
  addPassphraseCommands(program);
  addJobCommands(program);
  addProtocolCommands(program);
  addFollowCommands(program);
  return program;
}

function dataDir(): string {
  const given = process.env.SOTTO_DATA;
  return given === undefined || given === '' ? join(homedir(), '.sotto') : resolve(given);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
