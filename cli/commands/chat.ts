/** `channel`, `send`, `read`, `react`, `delete`: the chat itself. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { parseDuration, parseLimit } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, printableLines, table, when, width } from '../words.ts';

export function addChatCommands(program: Command): void {
  const channel = addGroup(program, 'channel', 'Create and list channels.', 'channel list');
  verb(withSelectors(channel.command('create').argument('<name>').description('Create a channel.')), {
    example: 'channel create random',
    ask: (node, [name], options) =>
      node.post<Answer<'createChannel'>>('/v1/channels', { name, ...selectorIn(options) }),
    show: (made) => `Created channel ${printable(made.name)} (${shortId(made.channel_id)}).`,
  });
  verb(withSelectors(channel.command('list').description('List the channels of a network.')), {
    example: 'channel list',
    ask: (node, _, options) => node.get<Answer<'channels'>>('/v1/channels', selectorIn(options)),
    show: (channels) =>
      table(
        ['channel', 'name', 'messages', 'created'],
        channels.map((one) => [shortId(one.channel_id), one.name, one.messages, when(one.created_ms)]),
        'No channels.',
      ),
  });

  verb(
    withSelectors(
      program
        .command('send')
        .argument('<channel>', 'its name or id')
        .argument('<text>')
        .description('Send a message. Write -- before a text that begins with a dash.')
        .option('--ttl <duration>', 'how long it lives: 30m, 1h, 7d; 0 is for ever', '0'),
    ),
    {
      example: 'send general "Lunch at noon?" --ttl 4h',
      ask: (node, [channel, text], options) => {
        const { ttl } = options as Options & { ttl: string };
        const ttl_ms = parseDuration(ttl);
        return node.post<Answer<'send'>>('/v1/messages', { channel, text, ttl_ms, ...selectorIn(options) });
      },
      show: ({ message_id, expires_ms }) =>
        `Sent ${shortId(message_id)}${expires_ms === null ? '' : `, gone ${when(expires_ms)}`}.`,
    },
  );
  verb(
    withSelectors(
      program
        .command('read')
        .argument('<channel>', 'its name or id')
        .description('Show the newest messages of a channel, oldest of them first.')
        .option('--limit <count>', 'how many', parseLimit, 50),
    ),
    {
      example: 'read general --limit 10',
      ask: (node, [channel], options) =>
        node.get<Answer<'read'>>('/v1/messages', { channel, limit: options.limit, ...selectorIn(options) }),
      show: showMessages,
    },
  );
  verb(
    withSelectors(
      program
        .command('react')
        .argument('<message>', 'its id, as `read` shows it')
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
        .command('delete')
        .argument('<message>', 'its id, as `read` shows it')
        .description('Delete a message, on every device.'),
    ),
    {
      example: 'delete 4f1d9a2c',
      ask: (node, [message], options) =>
        node.delete<Answer<'delete'>>(
          `/v1/messages/${encodeURIComponent(message ?? '')}`,
          selectorIn(options),
        ),
      show: ({ message_id }) => `Deleted ${shortId(message_id)}.`,
    },
  );
}

/** One message a line: id, time, author, text. Further lines of a text stand under its first. */
function showMessages(messages: Answer<'read'>): string {
  if (messages.length === 0) return 'No messages.';
  const heads = messages.map((message) => [
    shortId(message.message_id),
    when(message.created_ms),
    printable(message.author),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...heads.map((head) => width(head[column] ?? ''))));
  const indent = widths.reduce((sum, one) => sum + one + 2, 0);
  return messages
    .map((message, at) => {
      const head = (heads[at] ?? []).map(
        (cell, column) => `${cell}${' '.repeat((widths[column] ?? 0) - width(cell))}  `,
      );
      return head.join('') + printableLines(message.text, indent) + remarks(message);
    })
    .join('\n');
}

function remarks({ reactions, expires_ms }: Answer<'read'>[number]): string {
  const shown = reactions.map(({ emoji, count }) => `${printable(emoji)} ${count}`);
  if (expires_ms !== null) shown.push(`(gone ${when(expires_ms)})`);
  return shown.map((one) => `  ${one}`).join('');
}
