/** `network`, `invite`, `join`, `peers`: who is together, and how one gets in. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { parseCount, parseDuration } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, shortDevice, shortOrDash, table, when } from '../words.ts';

export function addNetworkCommands(program: Command): void {
  const network = addGroup(program, 'network', 'Create and list networks.', 'network create Acme --as alice');
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

  const invite = addGroup(program, 'invite', 'Let others in.', 'invite create');
  verb(
    withSelectors(
      invite
        .command('create')
        .description('Make a link that lets others join. Whoever has the link can use it.')
        .option('--uses <count>', 'how many people may use it', (text) => parseCount(text), 1)
        .option('--expires <duration>', 'until when: 30m, 12h, 7d', '7d'),
    ),
    {
      example: 'invite create --uses 5 --expires 2d',
      ask: (node, _, options) => {
        const { uses, expires } = options as Options & { uses: number; expires: string };
        return node.post<Answer<'createInvite'>>('/v1/invites', {
          uses,
          ttl_ms: parseDuration(expires),
          ...selectorIn(options),
        });
      },
      show: ({ link, uses, expires_ms }) =>
        `${printable(link)}\n\nGood for ${uses === 1 ? 'one person' : `${uses} people`}, expires ${when(expires_ms)}.`,
    },
  );

  verb(
    program
      .command('join')
      .argument('<link>')
      .description('Join a network by an invite link. Waits until a member has let you in.')
      .requiredOption('--as <user>', 'your name in it')
      .option('--timeout <duration>', 'how long to wait; the join goes on after that', '30s'),
    {
      example: 'join "$LINK" --as bob',
      ask: (node, [link], options) => {
        const { as, timeout } = options as Options & { timeout: string };
        return node.post<Answer<'join'>>('/v1/join', { link, as, timeout_ms: parseDuration(timeout) });
      },
      show: (joined, { as }) =>
        `Joined network ${shortId(joined.network_id)} as ${printable(as ?? '')} (device ${shortDevice(joined.device_id)}).`,
    },
  );

  verb(withSelectors(program.command('peers').description('List the devices of a network.')), {
    example: 'peers',
    ask: (node, _, options) => node.get<Answer<'peers'>>('/v1/peers', selectorIn(options)),
    show: showPeers,
  });
}

export function showNetworks(networks: Answer<'status'>['networks']): string {
  return table(
    ['network', 'name', 'you', 'members', 'events', 'waiting', 'connected'],
    networks.map((one) => [
      shortId(one.network_id),
      one.name,
      one.admitted ? one.user_name : `${one.user_name ?? '-'} (not yet let in)`,
      one.members,
      one.events,
      one.waiting,
      one.peers_connected,
    ]),
    'No network yet. Create one: sotto network create NAME --as USER; or join one: sotto join LINK --as USER',
  );
}

function showPeers(peers: Answer<'peers'>): string {
  return table(
    ['device', 'user', 'network', 'address', 'state'],
    peers.map((peer) => [
      shortDevice(peer.device_id),
      peer.user_name ?? shortOrDash(peer.user_id),
      shortId(peer.network_id),
      peer.address,
      peerState(peer),
    ]),
    'No devices.',
  );
}

function peerState(peer: Answer<'peers'>[number]): string {
  if (peer.is_this_device) return 'this device';
  if (!peer.connected) return 'not connected';
  return peer.connected_since_ms === null ? 'connected' : `connected ${when(peer.connected_since_ms)}`;
}
