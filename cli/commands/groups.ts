/** `group`: some of a network's users, who alone can read their channels. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { named, printable, table, when } from '../words.ts';

export function addGroupCommands(program: Command): void {
  const group = addGroup(
    program,
    'group',
    'Create, change and delete groups.',
    'group create team --with bob',
  );
  verb(
    withSelectors(
      group
        .command('create')
        .argument('<name>')
        .description('Create a group of you and others, with a channel that only its members can read.')
        .option('--with <user...>', 'who else is in it: names or ids'),
    ),
    {
      example: 'group create team --with bob carol',
      ask: (node, [name], options) =>
        node.post<Answer<'createGroup'>>('/v1/groups', {
          name,
          users: usersIn(options),
          ...selectorIn(options),
        }),
      show: (made, options) => {
        const users = usersIn(options).map(printable).join(', ');
        return `Created group ${printable(made.name)} (${shortId(made.group_id)}) with ${users || 'you alone'}; its channel is ${shortId(made.channel_id)}.`;
      },
    },
  );
  verb(withSelectors(group.command('list').description('List the groups you are in, with their members.')), {
    example: 'group list',
    ask: (node, _, options) => node.get<Answer<'groups'>>('/v1/groups', selectorIn(options)),
    show: showGroups,
  });
  verb(
    withSelectors(
      group
        .command('add')
        .argument('<group>', 'its name or id')
        .argument('<user>', 'their name or id')
        .description('Add a user to a group.'),
    ),
    {
      example: 'group add team carol',
      ask: (node, [group_ref, user], options) =>
        node.post<Answer<'addToGroup'>>(`/v1/groups/${inPath(group_ref)}/members`, {
          user,
          ...selectorIn(options),
        }),
      show: ({ group_id, user_id }, _, [group_ref, user]) =>
        `Added ${named(user, user_id)} to group ${named(group_ref, group_id)}.`,
    },
  );
  verb(
    withSelectors(
      group
        .command('remove')
        .argument('<group>', 'its name or id')
        .argument('<user>', 'their name or id')
        .description('Remove a user from a group; they stay in the network. Asks nothing.'),
    ),
    {
      example: 'group remove team carol',
      ask: (node, [group_ref, user], options) =>
        node.delete<Answer<'removeFromGroup'>>(
          `/v1/groups/${inPath(group_ref)}/members/${inPath(user)}`,
          selectorIn(options),
        ),
      show: ({ group_id, user_id }, _, [group_ref, user]) =>
        `Removed ${named(user, user_id)} from group ${named(group_ref, group_id)}. They get nothing new of it from now on; what they already have, they keep.`,
    },
  );
  verb(
    withSelectors(
      group
        .command('delete')
        .argument('<group>', 'its name or id')
        .description(
          'Delete a group with its channels and all their messages, for everybody. Cannot be undone. Asks nothing. Devices that are not connected delete it when they hear of it.',
        ),
    ),
    {
      example: 'group delete team',
      ask: (node, [group_ref], options) =>
        node.delete<Answer<'deleteGroup'>>(`/v1/groups/${inPath(group_ref)}`, selectorIn(options)),
      show: ({ group_id }, _, [group_ref]) =>
        `Deleted group ${named(group_ref, group_id)} with its channels and messages, for everybody. What this device has not forgotten yet: sotto audit`,
    },
  );
}

function usersIn(options: Options): readonly string[] {
  return (options as Options & { with?: readonly string[] }).with ?? [];
}

function showGroups(groups: Answer<'groups'>): string {
  return table(
    ['group', 'kind', 'name', 'channels', 'created', 'members'],
    groups.map((one) => [
      shortId(one.group_id),
      one.kind === 'main' ? 'everyone' : one.kind,
      one.name,
      one.channels,
      when(one.created_ms),
      one.members.join(', '),
    ]),
    'No groups.',
  );
}
