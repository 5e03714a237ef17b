/** The protocol as the API shows it, an app's own parts included: its reflectors, and its queries and commands to run by name. */
import type { NodeFacade } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Shape } from '../../core/fields.ts';
import { fromText } from './from-text.ts';
import type { ViewPorts } from './ports.ts';

/** Commands that do only half of it by themselves, and what does the whole. */
const NOT_BY_NAME: ReadonlyMap<string, string> = new Map([
  ['create_invite', 'answers with a secret; use `sotto invite create`'],
  ['create_device_link', 'answers with a secret; use `sotto device link`'],
  ['forget_network', 'erases a network, which must be named; use `sotto network delete`'],
]);

export function protocolView({
  parts,
  asking,
  find,
}: ViewPorts): Pick<NodeFacade, 'reflectors' | 'queries' | 'query' | 'commands' | 'command'> {
  const { protocol } = parts;

  return {
    reflectors: () =>
      [...protocol.reflectors.entries()]
        .flatMap(([type, list]) => list.map(({ name, file }) => ({ name, on: type.name, file })))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),

    queries: () =>
      [...protocol.queries.values()].map(({ name, file, value }) => ({
        name,
        description: value.description,
        params: Object.keys(value.params),
        file,
      })),

    query(name, params, selector) {
      const registered = protocol.queries.get(name);
      if (registered === undefined)
        throw new SottoError(
          'unknown_query',
          `There is no query '${name}'. \`sotto queries list\` shows them.`,
        );
      const identity = registered.value.scope === 'node' ? 0 : find.select(selector).identity;
      return asking.query<Record<string, unknown>>(name, fromText(registered.value.params, params), identity);
    },

    commands: () =>
      [...protocol.commands.values()].map(({ name, file, value }) => ({
        name,
        description: value.options.description,
        input: Object.keys(value.options.input as Shape),
        file,
      })),

    command(name, input, selector) {
      const registered = protocol.commands.get(name);
      if (registered === undefined)
        throw new SottoError(
          'unknown_command',
          `There is no command '${name}'. \`sotto commands list\` shows them.`,
        );
      const { options } = registered.value;
      const instead =
        options.as === 'new'
          ? 'makes a new identity; use `sotto network create` or `sotto join`'
          : NOT_BY_NAME.get(name);
      if (instead !== undefined) throw new SottoError('not_by_name', `'${name}' ${instead}.`);
      const { identity } = find.select(selector);
      return { event_ids: asking.command(name, identity, fromText(options.input as Shape, input)).event_ids };
    },
  };
}
