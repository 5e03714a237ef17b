/** `members`, `grant`, `revoke`, `whoami`, `rename`: who is in a network, what they may do, and what they are called. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseRight } from '../arguments.ts';
import { type Answer, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { named, printable, shortDevice, shortOrDash, table, when } from '../words.ts';

export function addMemberCommands(program: Command): void {
  verb(
    withSelectors(
      program
        .command('members')
        .description('List the users of a network, or of a group.')
        .option('--group <group>', 'its name or id'),
    ),
    {
      example: 'members --group team',
      ask: (node, _, options) => {
        const { group } = options as Options & { group?: string };
        const path = group === undefined ? '/v1/members' : `/v1/groups/${inPath(group)}/members`;
        return node.get<Answer<'members'>>(path, selectorIn(options));
      },
      show: showMembers,
    },
  );
  verb(
    withSelectors(
      program
        .command('grant')
        .argument('<right>', 'admin, invite or delete', parseRight)
        .argument('<user>', 'their name or id')
        .description('Give a user a right.'),
    ),
    {
      example: 'grant invite bob',
      ask: (node, [right, user], options) =>
        node.post<Answer<'grant'>>('/v1/grants', { right, user, ...selectorIn(options) }),
      show: ({ right, user_id }, _, [, user]) =>
        `${named(user, user_id)} has the right ${printable(right)} now.`,
    },
  );
  verb(
    withSelectors(
      program
        .command('revoke')
        .argument('<right>', 'admin, invite or delete', parseRight)
        .argument('<user>', 'their name or id')
        .description('Take a right from a user.'),
    ),
    {
      example: 'revoke invite bob',
      ask: (node, [right, user], options) =>
        node.delete<Answer<'revoke'>>(`/v1/grants/${inPath(right)}/${inPath(user)}`, selectorIn(options)),
      show: ({ right, user_id }, _, [, user]) =>
        `${named(user, user_id)} does not have the right ${printable(right)} any more.`,
    },
  );
  verb(withSelectors(program.command('whoami').description('Show who you are, in each of your networks.')), {
    example: 'whoami',
    ask: (node, _, options) => node.get<Answer<'whoami'>>('/v1/whoami', selectorIn(options)),
    show: showWho,
  });
  verb(
    withSelectors(
      program
        .command('rename')
        .argument('<name>', 'the new one')
        .description('Change your name in a network, or with --channel the name of a channel.')
        .option('--channel <channel>', 'its name or id'),
    ),
    {
      example: 'rename alicia',
      ask: (node, [name], options): Promise<Answer<'renameMe'> | Answer<'renameChannel'>> => {
        const { channel } = options as Options & { channel?: string };
        const path = channel === undefined ? '/v1/profile' : `/v1/channels/${inPath(channel)}`;
        return node.patch(path, { name, ...selectorIn(options) });
      },
      show: (renamed) =>
        'channel_id' in renamed
          ? `Channel ${shortId(renamed.channel_id)} is called ${printable(renamed.name)} now.`
          : `You are called ${printable(renamed.name)} now.`,
    },
  );
}

function showMembers(members: Answer<'members'>): string {
  return table(
    ['user', 'name', 'rights', 'devices', 'joined', 'state'],
    members.map((one) => [
      shortId(one.user_id),
      one.name,
      one.rights.join(' ') || null,
      one.devices,
      when(one.joined_ms),
      one.is_me ? `you${one.state === 'removed' ? ', removed' : ''}` : one.state,
    ]),
    'No members.',
  );
}

function showWho(identities: Answer<'whoami'>): string {
  return table(
    ['network', 'name', 'you', 'user', 'device', 'rights', 'state'],
    identities.map((one) => [
      shortId(one.network_id),
      one.network_name,
      one.user_name,
      shortOrDash(one.user_id),
      shortDevice(one.device_id),
      one.rights.join(' ') || null,
      one.state.replaceAll('_', ' '),
    ]),
    'In no network yet.',
  );
}
