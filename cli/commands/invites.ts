/** `invite`, `join`: how one gets in. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseCount, parseDuration } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, shortDevice, table, when } from '../words.ts';

export function addInviteCommands(program: Command): void {
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
    withSelectors(
      invite.command('list').description('List the invites of a network, with how often they were used.'),
    ),
    {
      example: 'invite list',
      ask: (node, _, options) => node.get<Answer<'invites'>>('/v1/invites', selectorIn(options)),
      show: showInvites,
    },
  );
  verb(
    withSelectors(
      invite
        .command('revoke')
        .argument('<invite>', 'its id, as `invite list` shows it')
        .description('Revoke an invite, so that its link lets nobody else in.'),
    ),
    {
      example: 'invite revoke 4f1d9a2c',
      ask: (node, [invite_ref], options) =>
        node.delete<Answer<'revokeInvite'>>(`/v1/invites/${inPath(invite_ref)}`, selectorIn(options)),
      show: ({ invite_id }) =>
        `Revoked invite ${shortId(invite_id)}: its link lets nobody else in. Who is in by it stays in.`,
    },
  );

  verb(
    program
      .command('join')
      .argument('<link>')
      .description(
        'Join a network by an invite or device link. Waits until a member has let you in; the newest messages can be read then. On a terminal it goes on to show how the past arrives; Ctrl-C ends the showing, not the arriving.',
      )
      .option('--as <user>', "your name in it; a device link brings your user's own")
      .option('--timeout <duration>', 'how long to wait to be let in; the join goes on after that', '30s')
      .option('--wait', 'stay until what was said before has come, also where stderr is no terminal')
      .option('--no-wait', 'end as soon as you are in'),
    {
      example: 'join "$LINK" --as bob',
      ask: (node, [link], options) => {
        const { as, timeout } = options as Options & { timeout: string };
        return node.post<Answer<'join'>>('/v1/join', { link, as, timeout_ms: parseDuration(timeout) });
      },
      show: (joined, { as }) =>
        `Joined network ${shortId(joined.network_id)} as ${as === undefined ? `user ${shortId(joined.user_id)}` : printable(as)} (device ${shortDevice(joined.device_id)}).`,
      afterwards: {
        what: 'Showing how it catches up',
        ask: async (node, joined, _, options) => {
          const { wait = process.stderr.isTTY } = options as Options & { wait?: boolean };
          if (!wait) return;
          const { showCatchingUp } = await import('../catching-up.ts');
          await showCatchingUp(node, joined);
        },
      },
    },
  );
}

function showInvites(invites: Answer<'invites'>): string {
  return table(
    ['invite', 'for a', 'made by', 'used', 'expires', 'state'],
    invites.map((one) => [
      shortId(one.invite_id),
      one.kind,
      one.made_by,
      `${one.used} of ${one.uses}`,
      when(one.expires_ms),
      one.state.replace('_', ' '),
    ]),
    'No invites.',
  );
}
