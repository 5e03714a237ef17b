/** `send`, `read`, `dm`, `react`, `edit`, `versions`, `delivery`, `delete`: the chat itself. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseLifetime, parseLimit } from '../arguments.ts';
import { showDelivery, showMessages, showVersions } from '../messages.ts';
import { type Answer, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, when } from '../words.ts';

/** The argument of every command about one message. */
const message_argument = ['<message>', 'its id, as `read` shows it'] as const;

export function addChatCommands(program: Command): void {
  verb(
    withTtl(
      program
        .command('send')
        .argument('<channel>', 'its name or id; @NAME for the direct messages with a user')
        .argument('<text>')
        .description('Send a message. Write -- before a text that begins with a dash.'),
    ),
    {
      example: 'send general "Lunch at noon?" --ttl 4h',
      ask: (node, [channel, text], options) =>
        node.post<Answer<'send'>>('/v1/messages', {
          channel,
          text,
          ttl_ms: ttlIn(options),
          ...selectorIn(options),
        }),
      show: ({ message_id, expires_ms }) => `Sent ${shortId(message_id)}${goneWhen(expires_ms)}.`,
    },
  );
  verb(
    withTtl(
      program
        .command('dm')
        .argument('<user>', 'their name or id')
        .argument('<text>')
        .description('Send a message to one user alone. `read @NAME` shows it and the answers.'),
    ),
    {
      example: 'dm bob "Just between us" --ttl 1d',
      ask: (node, [user, text], options) =>
        node.post<Answer<'dm'>>('/v1/direct-messages', {
          user,
          text,
          ttl_ms: ttlIn(options),
          ...selectorIn(options),
        }),
      show: ({ message_id, expires_ms }, _, [user]) =>
        `Sent ${shortId(message_id)} to ${printable(user ?? '')}${goneWhen(expires_ms)}.`,
    },
  );
  verb(
    withSelectors(
      program
        .command('read')
        .argument('<channel>', 'its name or id; @NAME for the direct messages with a user')
        .description(
          'Show the newest messages of a channel, oldest of them first, and note them as read; but not while there are older unread ones that it does not show.',
        )
        .option('--limit <count>', 'how many', parseLimit, 50)
        .option('--keep-unread', 'note nothing'),
    ),
    {
      example: 'read general --limit 10',
      ask: (node, [channel], options) =>
        node.get<Answer<'read'>>('/v1/messages', { channel, limit: options.limit, ...selectorIn(options) }),
      show: showMessages,
      afterwards: {
        what: 'Noting this as read',
        ask: async (node, messages, [channel], options) => {
          const { keepUnread } = options as Options & { keepUnread?: true };
          const [oldest, newest] = [messages[0], messages.at(-1)];
          if (keepUnread || oldest === undefined || newest === undefined) return;
          // No more than what was shown: others may have come since, or have been waiting for longer.
          await node.post<Answer<'markRead'>>('/v1/read-marks', {
            channel,
            read_until_ms: newest.created_ms,
            shown_from: oldest.message_id,
            ...selectorIn(options),
          });
        },
      },
    },
  );
  verb(
    withSelectors(
      program
        .command('react')
        .argument(...message_argument)
        .argument('<emoji>')
        .description('React to a message.'),
    ),
    {
      example: 'react 4f1d9a2c 👍',
      ask: (node, [message, emoji], options) =>
        node.post<Answer<'react'>>('/v1/reactions', { message, emoji, ...selectorIn(options) }),
      show: ({ message_id }) => `Reacted to ${shortId(message_id)}.`,
    },
  );
  verb(
    withSelectors(
      program
        .command('edit')
        .argument(...message_argument)
        .argument('<text>', 'the new text')
        .description('Change the text of a message, on every device. The old text is forgotten.'),
    ),
    {
      example: 'edit 4f1d9a2c "Lunch at one?"',
      ask: (node, [message, text], options) =>
        node.patch<Answer<'edit'>>(`/v1/messages/${inPath(message)}`, { text, ...selectorIn(options) }),
      show: ({ message_id }) => `Edited ${shortId(message_id)}.`,
    },
  );
  verb(
    withSelectors(
      program
        .command('versions')
        .argument(...message_argument)
        .description('List who wrote which version of a message and when. Old texts are forgotten.'),
    ),
    {
      example: 'versions 4f1d9a2c',
      ask: (node, [message], options) =>
        node.get<Answer<'versions'>>(`/v1/messages/${inPath(message)}/versions`, selectorIn(options)),
      show: showVersions,
    },
  );
  verb(
    withSelectors(
      program
        .command('delivery')
        .argument(...message_argument)
        .description(
          'Say on how many other devices a message is, and on which. Counts those with which this device has compared since; others may have got it from one another.',
        ),
    ),
    {
      example: 'delivery 4f1d9a2c',
      ask: (node, [message], options) =>
        node.get<Answer<'delivery'>>(`/v1/messages/${inPath(message)}/delivery`, selectorIn(options)),
      show: showDelivery,
    },
  );
  verb(
    withSelectors(
      program
        .command('delete')
        .argument(...message_argument)
        .description('Delete a message, on every device.'),
    ),
    {
      example: 'delete 4f1d9a2c',
      ask: (node, [message], options) =>
        node.delete<Answer<'delete'>>(`/v1/messages/${inPath(message)}`, selectorIn(options)),
      show: ({ message_id }) => `Deleted ${shortId(message_id)}.`,
    },
  );
}

function withTtl(command: Command): Command {
  return withSelectors(
    command.option(
      '--ttl <duration>',
      'how long it lives: 30m, 1h, 7d, never; without, as `disappear` says for the channel',
    ),
  );
}

/** undefined: as the channel says. */
function ttlIn(options: Options): number | undefined {
  const { ttl } = options as Options & { ttl?: string };
  return ttl === undefined ? undefined : parseLifetime(ttl);
}

function goneWhen(expires_ms: number | null): string {
  return expires_ms === null ? '' : `, gone ${when(expires_ms)}`;
}
