/** `channel`, `disappear`, `unread`: what there is to read, and for how long. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseLifetime } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { lifetime, named, printable, table, when } from '../words.ts';

export function addChannelCommands(program: Command): void {
  const channel = addGroup(program, 'channel', 'Create, list and delete channels.', 'channel list');
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
      channel
        .command('delete')
        .argument('<channel>', 'its name or id; @NAME for the direct messages with a user')
        .description(
          'Delete a channel with all its messages, for everybody. Cannot be undone. Asks nothing. Devices that are not connected delete it when they hear of it.',
        ),
    ),
    {
      example: 'channel delete plans',
      ask: (node, [channel_ref], options) =>
        node.delete<Answer<'deleteChannel'>>(`/v1/channels/${inPath(channel_ref)}`, selectorIn(options)),
      show: ({ channel_id }, _, [channel_ref]) =>
        `Deleted channel ${named(channel_ref, channel_id)} with all its messages, for everybody. What this device has not forgotten yet: sotto audit`,
    },
  );

  verb(
    withSelectors(
      program
        .command('disappear')
        .argument('<channel>', 'its name or id; @NAME for the direct messages with a user')
        .argument('<time>', '30m, 1h, 7d; never: they stay', parseLifetime)
        .description(
          'Say how long new messages of a channel live, whoever sends them. What is there already keeps its time.',
        ),
    ),
    {
      example: 'disappear general 7d',
      ask: (node, [channel_ref, time], options) =>
        node.put<Answer<'setRetention'>>(`/v1/channels/${inPath(channel_ref)}/retention`, {
          ttl_ms: parseLifetime(time ?? ''),
          ...selectorIn(options),
        }),
      show: ({ channel_id, ttl_ms }, _, [channel_ref]) =>
        `New messages of ${named(channel_ref, channel_id)} ${ttl_ms === 0 ? 'stay' : 'live'} ${lifetime(ttl_ms)}, unless sent with --ttl. What is there already keeps its time.`,
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
    ['channel', 'name', 'group', 'unread', 'messages', 'new ones live', 'created'],
    channels.map((one) => [
      shortId(one.channel_id),
      one.name,
      groupOf(one),
      one.unread,
      one.messages,
      lifetime(one.retention_ms),
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
