/**
 * Finds what people mean: a network and identity where there is a choice, a channel by its name, a message by the short prefix of its id. What
 * fits nothing, or several things, is an error that says how to say it better.
 */
import { type ChannelView, type NetworkView, type Selector, shortId } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Engine } from '../../core/engine.ts';
import type { Identity } from '../../core/envelope.ts';

export interface NetworkRow extends Omit<NetworkView, 'network_id'> {
  readonly identity: Identity;
  readonly network_id: string | null;
}

export class Finder {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  #query<Row>(name: string, params: Record<string, unknown>, identity: Identity): Row[] {
    return [...this.#engine.query(name, params, identity)] as Row[];
  }

  networks(): NetworkRow[] {
    return this.#query<NetworkRow>('get_networks', {}, 0).filter((row) => row.network_id !== null);
  }

  names(identity: Identity): Map<string, string> {
    const members = this.#query<{ user_id: string; name: string | null }>('get_members', {}, identity);
    return new Map(members.flatMap(({ user_id, name }) => (name === null ? [] : [[user_id, name] as const])));
  }

  selectAll(selector: Selector): NetworkRow[] {
    const { network, as } = selector;
    return this.networks().filter(
      (row) =>
        (network === undefined ||
          row.name === network ||
          row.network_id === network ||
          shortId(row.network_id ?? '') === network) &&
        (as === undefined || row.user_name === as),
    );
  }

  select(selector: Selector): NetworkRow {
    const fitting = this.selectAll(selector);
    // A join that nobody has answered yet is no choice as long as there is a network to work in.
    const admitted = fitting.filter((row) => row.admitted);
    const found = admitted.length > 0 ? admitted : fitting;
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      const choices = found
        .map((row) => `--network ${shortId(row.network_id ?? '')} --as '${row.user_name ?? ''}'`)
        .join(', or ');
      throw new SottoError(
        'ambiguous',
        `There is more than one network or identity here. Say which: ${choices}.`,
      );
    }
    throw new SottoError(
      'not_found',
      this.networks().length === 0
        ? 'This node is in no network yet. `sotto network create NAME --as USER` founds one, `sotto join LINK --as USER` joins one.'
        : 'No network or identity of this node fits. `sotto network list` shows them.',
    );
  }

  identityOrNone(selector: Selector): Identity | undefined {
    return selector.network === undefined && selector.as === undefined
      ? undefined
      : this.select(selector).identity;
  }

  channel(ref: string, selector: Selector): { identity: Identity; channel_id: string } {
    const { identity } = this.select(selector);
    const name = ref.replace(/^#/, '');
    const channels = this.#query<ChannelView>('get_channels', {}, identity);
    const named = channels.filter((channel) => channel.name === name);
    const found =
      named.length > 0
        ? named
        : channels.filter((channel) => channel.channel_id === ref || shortId(channel.channel_id) === ref);
    if (found.length === 1) return { identity, channel_id: found[0]!.channel_id };
    if (found.length > 1) {
      throw new SottoError(
        'ambiguous',
        `Several channels are called that. Say which by its id: ${found.map((channel) => shortId(channel.channel_id)).join(', ')}.`,
      );
    }
    throw new SottoError('not_found', 'There is no such channel here. `sotto channel list` shows them.');
  }

  message(ref: string, selector: Selector): { identity: Identity; message_id: string } {
    const { identity } = this.select(selector);
    if (!/^[0-9a-f]{4,64}$/.test(ref)) {
      throw new SottoError(
        'bad_input',
        'Expected a message by 4 to 64 hex digits of its id, as `sotto read` shows it.',
      );
    }
    const found = this.#query<{ message_id: string }>('get_messages_by_prefix', { prefix: ref }, identity);
    if (found.length === 1) return { identity, message_id: found[0]!.message_id };
    if (found.length > 1)
      throw new SottoError('ambiguous', 'Several messages begin with these digits. Give more of the id.');
    throw new SottoError('not_found', 'There is no such message here.');
  }

  /** The network of an identity; null for none. */
  networkOf(identity: Identity | null): string | null {
    return identity === null ? null : (this.#engine.identity(identity)?.network_id ?? null);
  }
}
