/** `channel`, `unread`: what there is to read. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, table, when } from '../words.ts';

export function addChannelCommands(program: Command): void {
  const channel = addGroup(program, 'channel', 'Create and list channels.', 'channel list');
  verb(
    withSelectors(
      channel
        .command('create')
        .argument('<name>')
        .description('Create a channel, for the whole network or for a group.')
        .option('--group <group>', 'the group whose members alone can read it: its name or id'),
    ),
    {
      example: 'channel create plans --group team',
      ask: (node, [name], options) => {
        const { group } = options as Options & { group?: string };
        return node.post<Answer<'createChannel'>>('/v1/channels', { name, group, ...selectorIn(options) });
      },
      show: (made) => `Created channel ${printable(made.name)} (${shortId(made.channel_id)}).`,
    },
  );
  verb(
    withSelectors(
      channel.command('list').description('List the channels of a network, with what you have not read.'),
    ),
    {
      example: 'channel list',
      ask: (node, _, options) => node.get<Answer<'channels'>>('/v1/channels', selectorIn(options)),
      show: showChannels,
    },
  );

  verb(
    withSelectors(
      program.command('unread').description('List the channels with messages you have not read.'),
    ),
    {
      example: 'unread',
      ask: (node, _, options) => node.get<Answer<'unread'>>('/v1/unread', selectorIn(options)),
      show: showUnread,
    },
  );
}

function showChannels(channels: Answer<'channels'>): string {
  return table(
    ['channel', 'name', 'group', 'unread', 'messages', 'created'],
    channels.map((one) => [
      shortId(one.channel_id),
      one.name,
      groupOf(one),
      one.unread,
      one.messages,
      when(one.created_ms),
    ]),
    'No channels.',
  );
}

function groupOf({ group_kind, group_name, group_id }: Answer<'channels'>[number]): string {
  if (group_kind === 'main') return 'everyone';
  return group_kind === 'direct' ? 'direct' : (group_name ?? shortId(group_id));
}

function showUnread(channels: Answer<'unread'>): string {
  return table(
    ['channel', 'name', 'group', 'unread', 'read until'],
    channels
      .filter((one) => one.unread > 0)
      .map((one) => [
        shortId(one.channel_id),
        one.name,
        one.group_name,
        one.unread,
        one.read_until_ms === null ? null : when(one.read_until_ms),
      ]),
    'Nothing unread.',
  );
}
