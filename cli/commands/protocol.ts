/** `reflectors`, `queries`, `query`, `commands`, `command`: the protocol as it was loaded, an app's own parts included. */

import type { Command } from 'commander';
import { shortId } from '../../api/facade.ts';
import { inPath, parseParameter } from '../arguments.ts';
import { type Answer, addGroup, type Options, selectorIn, verb, withSelectors } from '../verb.ts';
import { type Cell, shortDevice, shortOrDash, table, when } from '../words.ts';

/** Milliseconds larger than this are a time; smaller ones a span. It is 2001. */
const time_ms_min = 1e12;

export function addProtocolCommands(program: Command): void {
  const reflectors = addGroup(
    program,
    'reflectors',
    'What runs because an event became valid.',
    'reflectors list',
  );
  verb(reflectors.command('list').description('List the reflectors.'), {
    example: 'reflectors list',
    ask: (node) => node.get<Answer<'reflectors'>>('/v1/reflectors'),
    show: (all) =>
      table(
        ['reflector', 'on', 'file'],
        all.map((one) => [one.name, one.on, one.file]),
        'No reflectors.',
      ),
  });

  const queries = addGroup(program, 'queries', 'The named reads of the protocol.', 'queries list');
  verb(queries.command('list').description('List the queries with their parameters.'), {
    example: 'queries list',
    ask: (node) => node.get<Answer<'queries'>>('/v1/queries'),
    show: (all) =>
      table(
        ['query', 'parameters', 'description', 'file'],
        all.map((one) => [one.name, one.params.join(' '), one.description, one.file]),
        'No queries.',
      ),
  });
  verb(withParameters(program.command('query').argument('<name>').description('Run a query.')), {
    example: 'query get_active_peers -p network_id=4f1d9a2c',
    ask: (node, [name], options) =>
      node.post<Answer<'query'>>(`/v1/queries/${inPath(name)}`, {
        params: parametersIn(options),
        ...selectorIn(options),
      }),
    show: showRows,
  });

  const commands = addGroup(program, 'commands', 'The commands of the protocol.', 'commands list');
  verb(commands.command('list').description('List the commands with their input.'), {
    example: 'commands list',
    ask: (node) => node.get<Answer<'commands'>>('/v1/commands'),
    show: (all) =>
      table(
        ['command', 'input', 'description', 'file'],
        all.map((one) => [one.name, one.input.join(' '), one.description, one.file]),
        'No commands.',
      ),
  });
  verb(
    withParameters(
      program
        .command('command')
        .argument('<name>')
        .description("Run a command, such as one of your app's own."),
    ),
    {
      example: 'command create_task -p title="Buy milk"',
      ask: (node, [name], options) =>
        node.post<Answer<'command'>>(`/v1/commands/${inPath(name)}`, {
          input: parametersIn(options),
          ...selectorIn(options),
        }),
      show: ({ event_ids }) =>
        event_ids.length === 0 ? 'Done, without an event.' : `Done: ${event_ids.map(shortOrDash).join(' ')}`,
    },
  );
}

function withParameters(command: Command): Command {
  return withSelectors(command).option(
    '-p, --param <key=value>',
    'a parameter; may be repeated',
    parseParameter,
  );
}

function parametersIn(options: Options): Readonly<Record<string, string>> {
  return (options as Options & { param?: Record<string, string> }).param ?? {};
}

function showRows(rows: Answer<'query'>): string {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return table(
    columns,
    rows.map((row) => columns.map((column) => cellOf(column, row[column]))),
    'No rows.',
  );
}

/** Fields mean by their names what they mean everywhere: `..._id`, `..._ms`. */
function cellOf(column: string, value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) && column.endsWith('_id')) {
    return column.endsWith('device_id') ? shortDevice(value) : shortId(value);
  }
  if (typeof value === 'number' && column.endsWith('_ms') && value >= time_ms_min) return when(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
