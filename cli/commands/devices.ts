/** `device`, `peers`, and `remove`: the devices of the users, how they are connected, and how they and their users go. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseDuration } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { counted, named, printable, shortDevice, shortOrDash, table, when } from '../words.ts';

export function addDeviceCommands(program: Command): void {
  const device = addGroup(program, 'device', 'Use Sotto on more than one device.', 'device link');
  verb(
    withSelectors(
      device
        .command('link')
        .description('Make a link by which another device of yours joins. Whoever has the link becomes you.')
        .option('--expires <duration>', 'until when: 10m, 1h, 1d', '1h'),
    ),
    {
      example: 'device link --expires 10m',
      ask: (node, _, options) => {
        const ttl_ms = parseDuration((options as Options & { expires: string }).expires);
        return node.post<Answer<'linkDevice'>>('/v1/device-links', { ttl_ms, ...selectorIn(options) });
      },
      show: ({ link, expires_ms }) =>
        `${printable(link)}\n\nGood for one device of yours, expires ${when(expires_ms)}. On it: sotto join LINK`,
    },
  );
  verb(withSelectors(device.command('list').description('List the devices of all users.')), {
    example: 'device list',
    ask: (node, _, options) => node.get<Answer<'devices'>>('/v1/devices', selectorIn(options)),
    show: showDevices,
  });

  verb(
    withSelectors(
      program.command('peers').description('List the devices of a network, with their addresses.'),
    ),
    {
      example: 'peers',
      ask: (node, _, options) => node.get<Answer<'peers'>>('/v1/peers', selectorIn(options)),
      show: showPeers,
    },
  );

  const remove = addGroup(program, 'remove', 'Remove users and devices from a network.', 'remove user bob');
  verb(
    withSelectors(
      remove
        .command('user')
        .argument('<user>', 'their name or id')
        .description('Remove a user, with all devices, from the network. Asks nothing.'),
    ),
    {
      example: 'remove user bob',
      ask: (node, [user], options) =>
        node.delete<Answer<'removeUser'>>(`/v1/members/${inPath(user)}`, selectorIn(options)),
      show: ({ user_id, devices }, _, [user]) =>
        `Removed user ${named(user, user_id)} with ${counted(devices, 'device')} from the network. They get nothing new from now on; what they already have, they keep.`,
    },
  );
  verb(
    withSelectors(
      remove
        .command('device')
        .argument('<device>', 'the beginning of its id, as `device list` shows it')
        .description('Remove one device from the network; its user stays. Asks nothing.'),
    ),
    {
      example: 'remove device d0c4a71e',
      ask: (node, [device_ref], options) =>
        node.delete<Answer<'removeDevice'>>(`/v1/devices/${inPath(device_ref)}`, selectorIn(options)),
      show: ({ device_id }) =>
        `Removed device ${shortDevice(device_id)} from the network. It gets nothing new from now on; what it already has, it keeps.`,
    },
  );
}

function showDevices(devices: Answer<'devices'>): string {
  return table(
    ['device', 'user', 'prekeys', 'state'],
    devices.map((device) => [
      shortDevice(device.device_id),
      device.user_name ?? shortId(device.user_id),
      device.prekeys,
      deviceState(device),
    ]),
    'No devices.',
  );
}

function deviceState(device: Answer<'devices'>[number]): string {
  if (device.state === 'removed') return device.is_this_device ? 'this device, removed' : 'removed';
  if (device.is_this_device) return 'this device';
  return device.connected ? 'connected' : 'not connected';
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
