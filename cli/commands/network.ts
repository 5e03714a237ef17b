/** `network`, `leave`: the networks of this node, from their creation to their end. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { counted, named, printable, shortDevice, table } from '../words.ts';

export function addNetworkCommands(program: Command): void {
  const network = addGroup(
    program,
    'network',
    'Create, list and erase networks.',
    'network create Acme --as alice',
  );
  verb(
    network
      .command('create')
      .argument('<name>')
      .description('Create a network, with you as its first member and a channel `general`.')
      .requiredOption('--as <user>', 'your name in it'),
    {
      example: 'network create Acme --as alice',
      ask: (node, [name], { as }) => node.post<Answer<'createNetwork'>>('/v1/networks', { name, as }),
      show: (made, { as }) =>
        `Created network ${shortId(made.network_id)} as ${printable(as ?? '')} (device ${shortDevice(made.device_id)}).`,
    },
  );
  verb(network.command('list').description('List the networks of this node.'), {
    example: 'network list',
    ask: async (node) => (await node.get<Answer<'status'>>('/v1/status')).networks,
    show: showNetworks,
  });
  verb(
    network
      .command('delete')
      .argument('<network>', 'its name or id')
      .description(
        'Erase a network from this node only: events, keys, everything. Asks nothing, and tells nobody; to tell the others, `sotto leave` first.',
      )
      .option('--as <user>', 'the identity to erase, if this node has more than one in the network'),
    {
      example: 'network delete Acme',
      ask: (node, [name], { as }) =>
        node.delete<Answer<'deleteNetwork'>>(`/v1/networks/${inPath(name)}`, { as }),
      show: ({ network_id, events, secrets }, _, [name]) =>
        `Erased network ${named(name, network_id)} from this node: ${counted(events, 'event')}, ${counted(secrets, 'secret')}. This is local only: the other members keep theirs.`,
    },
  );

  verb(
    withSelectors(
      program
        .command('leave')
        .description('Leave a network, with all your devices, and tell the others so. Asks nothing.')
        .option('--force', 'also if nobody else has the right admin', false),
    ),
    {
      example: 'leave --network Acme',
      ask: (node, _, options) => {
        const { force } = options as Options & { force: boolean };
        return node.post<Answer<'leave'>>('/v1/leave', { force, ...selectorIn(options) });
      },
      show: ({ network_id }) =>
        `Left network ${shortId(network_id)}. To erase what this node has of it: sotto network delete ${shortId(network_id)}`,
    },
  );
}

export function showNetworks(networks: Answer<'status'>['networks']): string {
  return table(
    ['network', 'name', 'you', 'members', 'events', 'waiting', 'connected'],
    networks.map((one) => [
      shortId(one.network_id),
      one.name,
      `${one.user_name ?? '-'}${one.removed ? ' (removed)' : one.admitted ? '' : ' (not yet let in)'}`,
      one.members,
      one.events,
      one.waiting,
      one.peers_connected,
    ]),
    'No network yet. Create one: sotto network create NAME --as USER; or join one: sotto join LINK --as USER',
  );
}
