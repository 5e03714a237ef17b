/** How messages look in a terminal: those of a channel, the versions of one, and on which devices one is. */

import { shortId } from '../api/facade.ts';
import type { Answer } from './verb.ts';
import { printable, printableLines, shortDevice, table, when, width } from './words.ts';

/** One message a line: id, time, author, text. Further lines of a text stand under its first. */
export function showMessages(messages: Answer<'read'>): string {
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

function remarks({ edited_ms, reactions, expires_ms }: Answer<'read'>[number]): string {
  const shown = reactions.map(({ emoji, count }) => `${printable(emoji)} ${count}`);
  if (edited_ms !== null) shown.unshift('(edited)');
  if (expires_ms !== null) shown.push(`(gone ${when(expires_ms)})`);
  return shown.map((one) => `  ${one}`).join('');
}

export function showVersions(versions: Answer<'versions'>): string {
  return table(
    ['version', 'author', 'written', 'text'],
    versions.map((one, at) => [
      shortId(one.version_id),
      one.author,
      when(one.created_ms),
      at === versions.length - 1 ? 'shown' : 'forgotten',
    ]),
    'No versions.',
  );
}

export function showDelivery({ message_id, text, recipients }: Answer<'delivery'>): string {
  const said = `${shortId(message_id)} is ${text}.`;
  if (recipients.length === 0) return said;
  const devices = table(
    ['user', 'device', 'has it'],
    recipients.map((one) => [
      one.user_name ?? shortId(one.user_id),
      shortDevice(one.device_id),
      one.delivered ? 'yes' : 'not known yet',
    ]),
    '',
  );
  return `${said}\n\n${devices}`;
}
