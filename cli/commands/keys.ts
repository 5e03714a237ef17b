/** `keys`, `prekeys`, `why`: what this device can open, and what an event waits for. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath } from '../arguments.ts';
import { type Answer, addGroup, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, shortDevice, table, when } from '../words.ts';

export function addKeyCommands(program: Command): void {
  const keys = addGroup(program, 'keys', 'The keys of the groups.', 'keys list');
  verb(
    withSelectors(
      keys
        .command('list')
        .description('List the keys, and to how many devices each was given. Never shows a key.'),
    ),
    {
      example: 'keys list',
      ask: (node, _, options) => node.get<Answer<'keys'>>('/v1/keys', selectorIn(options)),
      show: showKeys,
    },
  );

  const prekeys = addGroup(program, 'prekeys', 'The keys that others seal keys to.', 'prekeys list');
  verb(
    withSelectors(prekeys.command('list').description('List the prekeys that the devices advertise now.')),
    {
      example: 'prekeys list',
      ask: (node, _, options) => node.get<Answer<'prekeys'>>('/v1/prekeys', selectorIn(options)),
      show: showPrekeys,
    },
  );

  verb(
    withSelectors(
      program
        .command('why')
        .argument('<event>', 'its id, as `read` or `trace` shows it')
        .description('Say where an event stands, by which rule, and what it waits for.'),
    ),
    {
      example: 'why 4f1d9a2c',
      ask: (node, [event], options) =>
        node.get<Answer<'why'>>(`/v1/events/${inPath(event)}/why`, selectorIn(options)),
      show: showWhy,
    },
  );
}

function showKeys(keys: Answer<'keys'>): string {
  return table(
    ['key', 'group', 'channel', 'expires', 'events', 'here', 'given to'],
    keys.map((one) => [
      shortId(one.key_id),
      one.group_kind === 'main' ? 'everyone' : (one.group_name ?? shortId(one.group_id)),
      one.channel_name,
      when(one.expires_ms),
      one.events,
      one.held ? 'yes' : 'no',
      `${one.devices - one.devices_owed} of ${one.devices} devices`,
    ]),
    'No keys.',
  );
}

function showPrekeys(prekeys: Answer<'prekeys'>): string {
  return table(
    ['prekey', 'device', 'user', 'created', 'expires'],
    prekeys.map((one) => [
      shortId(one.prekey_id),
      `${shortDevice(one.device_id)}${one.is_this_device ? ' (this device)' : ''}`,
      one.user_name,
      when(one.created_ms),
      when(one.expires_ms),
    ]),
    'No prekeys.',
  );
}

function showWhy(event: Answer<'why'>): string {
  const { type, rule, standing } = event;
  const lines = [
    `${shortId(event.event_id)}  ${type ?? 'sealed'} by ${event.author}, ${when(event.created_ms)}`,
    `${standing}${rule === null ? '' : ` (${rule})`}: ${event.text}`,
    ...event.waits_for.map((one) => `waits for ${waitedFor(one)}`),
  ];
  return lines.map(printable).join('\n');
}

function waitedFor({ what, id }: Answer<'why'>['waits_for'][number]): string {
  if (what === 'device') return `device ${shortDevice(id)}`;
  if (what !== 'time') return `${what} ${shortId(id)}`;
  // A time has no id: milliseconds, as text.
  return `its time, ${when(Number(id))}`;
}
