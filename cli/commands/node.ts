/** `start` and `status`: the node itself. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { catchingUpText } from '../catching-up.ts';
import { type Answer, type Options, verb, withExample } from '../verb.ts';
import { fields, printable, table, when } from '../words.ts';
import { showNetworks } from './network.ts';

/** What a host's `main` is given. */
export interface StartOptions {
  readonly data: string;
  readonly listen: string;
  readonly api: string;
  readonly announce?: string;
  readonly lan?: boolean;
  readonly protocol?: string;
  readonly jobs?: string;
  readonly passphraseFile?: string;
  readonly json: boolean;
}

export function addNodeCommands(program: Command): void {
  const start = program
    .command('start')
    .description('Run a node until it is told to stop (Ctrl-C, SIGTERM). A port of 0 picks a free one.')
    .option('--listen <host:port>', 'where other nodes reach this one', '127.0.0.1:0')
    .option('--announce <host>', 'the name under which others reach it, if it listens on every interface')
    .option(
      '--lan',
      'find peers on the local network by multicast DNS, and be found; listens on every interface unless --listen says where',
    )
    .option('--api <host:port>', 'where its local API is served; this machine only', '127.0.0.1:0')
    .option('--protocol <dir>', "a protocol folder of your app's own")
    .option('--jobs <file>', "a jobs.yaml in place of the protocol's")
    .option(
      '--passphrase-file <file>',
      'holds the passphrase that unlocks the key slots, and sets it on first use; $SOTTO_PASSPHRASE_FILE if that is set',
    );
  withExample(start, 'start --data ~/.sotto --listen 192.168.1.20:4820').action(async () => {
    // Only now: the host loads the whole node, which no other command needs.
    const host = await import('../../hosts/node/main.ts');
    await host.main(startOptions(start));
  });

  verb(program.command('status').description('Show what the node is and how it does.'), {
    example: 'status',
    ask: (node) => node.get<Answer<'status'>>('/v1/status'),
    show: showStatus,
  });
}

/** Who wants to be found on the LAN has to be reachable there, unless it was said where else. */
export function startOptions(start: Command): StartOptions & Options {
  const options = start.optsWithGlobals<StartOptions & Options>();
  const is_said = start.getOptionValueSource('listen') !== 'default';
  return options.lan && !is_said ? { ...options, listen: '0.0.0.0:0' } : options;
}

function showStatus(status: Answer<'status'>): string {
  const about = fields([
    ['version', `Sotto ${status.version}, protocol ${status.protocol}`],
    ['running', `pid ${status.pid}, started ${when(status.started_ms)}`],
    ['data', status.data_dir],
    ['peers at', status.listen],
    ['API at', status.api],
    ['next job', when(status.next_job_due_ms)],
    [
      'clock',
      status.clock.suspect
        ? `suspect (${status.clock.reason}); if it is right: sotto clock confirm`
        : 'trusted',
    ],
    ['LAN', lanLine(status.lan)],
  ]);
  const catching_up = status.networks
    .flatMap((network) =>
      network.catching_up === null
        ? []
        : [
            `${printable(network.name ?? shortId(network.network_id))} is catching up: ${catchingUpText(network.catching_up)}`,
          ],
    )
    .join('\n');
  const counters = table(
    ['refused or failed since the start', 'times'],
    Object.entries(status.counters).filter(([, times]) => times > 0),
    '',
  );
  const waiting = table(
    ['waiting in network', 'by rule', 'events'],
    status.networks.flatMap((network) =>
      Object.entries(network.waiting_by_rule)
        .filter(([, events]) => events > 0)
        .map(([rule, events]) => [shortId(network.network_id), rule, events]),
    ),
    '',
  );
  return [about, showNetworks(status.networks), catching_up, waiting, counters]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Whether peers are looked for on the LAN, and how many were found. */
function lanLine({ on, found, addresses, problem }: Answer<'status'>['lan']): string {
  if (!on) return 'off; sotto start --lan looks for peers on the local network';
  const devices = `${found} ${found === 1 ? 'device' : 'devices'} found`;
  return [`on${addresses.length === 0 ? '' : ` at ${addresses.join(', ')}`}`, devices, problem ?? '']
    .filter(Boolean)
    .join('; ');
}
