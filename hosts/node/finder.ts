/**
 * Finds what people mean: a network and identity where there is a choice, and in it users, groups, channels, messages, devices, invites and
 * events, by their names or the short ids under which they are shown.
 */
import { type Selector, shortId } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Identity } from '../../core/envelope.ts';
import type { Id } from '../../core/fields.ts';
import type { Asking, GroupRow, MemberRow, NetworkRow, Place } from './asking.ts';
import { type ChannelPlace, placesOfChannels } from './channel-list.ts';
import { choiceOf, fits, isDigits, meantBy, theOne } from './meant.ts';

/** Digits that stand for a channel or group: what is sent there must not go elsewhere by a slip. */
const DIGITS_OF_PLACE = 8;

export interface DeviceRow {
  readonly device_id: Id;
  readonly user_id: Id;
  readonly is_current: boolean;
  readonly prekeys: number;
  readonly connected: boolean;
  readonly is_this_device: boolean;
}
export interface StandingRow {
  readonly event_id: Id;
  readonly type: string | null;
  readonly author: Id | null;
  readonly author_user_id: Id | null;
  readonly standing: 'valid' | 'dead' | 'waiting' | 'refused';
  readonly rule: string | null;
  readonly not_before_ms: number;
}
/** The whole network, or a private group. */
export type GroupMeant = GroupRow | { readonly group_id: Id; readonly kind: 'main' };

export class Finder {
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  selectAll({ network, as }: Selector): NetworkRow[] {
    return this.#asking
      .networks()
      .filter(
        (row) =>
          (network === undefined ||
            row.name === network ||
            row.network_id === network ||
            shortId(row.network_id) === network) &&
          (as === undefined ||
            row.user_name === as ||
            (row.user_id !== null && (row.user_id === as || shortId(row.user_id) === as))),
      );
  }

  /** All that fit. Whoever names one that is not there is told so: nothing found is not nothing owed. */
  allMeant(selector: Selector): NetworkRow[] {
    const fitting = this.selectAll(selector);
    const is_chosen = selector.network !== undefined || selector.as !== undefined;
    return fitting.length === 0 && is_chosen ? [this.#theNetwork(fitting)] : fitting;
  }

  /** The network and identity to work in. */
  select(selector: Selector): NetworkRow {
    return this.#theNetwork(workable(this.selectAll(selector)));
  }

  /** The same, for what is done often and needs no more than to know where. */
  place(selector: Selector): Place {
    if (selector.network === undefined && selector.as === undefined) {
      const [only, ...others] = workable(this.#asking.places());
      if (only !== undefined && others.length === 0) return only;
    }
    return this.select(selector);
  }

  /** The same for what cannot be undone: whatever fits is a choice. */
  selectStrictly(selector: Selector): NetworkRow {
    return this.#theNetwork(this.selectAll(selector));
  }

  #theNetwork(found: readonly NetworkRow[]): NetworkRow {
    return theOne(found, {
      none: found.length > 0 ? '' : this.#noNetwork(),
      several: 'There is more than one network or identity here. Say which',
      choice: (row) => `--network ${shortId(row.network_id)}${asOption(row)}`,
    });
  }

  #noNetwork(): string {
    return this.#asking.networks().length === 0
      ? 'This node is in no network yet. `sotto network create NAME --as USER` founds one, `sotto join LINK --as USER` joins one.'
      : 'No network or identity of this node fits. `sotto network list` shows them.';
  }

  identityOrNone(selector: Selector): Identity | undefined {
    return selector.network === undefined && selector.as === undefined
      ? undefined
      : this.select(selector).identity;
  }

  /** A user by name or short id. Of several with the name those who are still here are meant. */
  user({ identity }: Place, ref: string): MemberRow {
    const members = this.#asking.members(identity);
    const isCalled = (name: string) => (row: MemberRow) => row.name === name;
    const name = !members.some(isCalled(ref)) && ref.startsWith('@') ? ref.slice(1) : ref;
    const is_here = members.some((row) => row.name === name && row.devices > 0);
    const isNamed = (row: MemberRow) => row.name === name && (row.devices > 0 || !is_here);
    return theOne(meantBy(members, name, { ids: (row) => [row.user_id], isNamed }), {
      none: 'There is no such user here. `sotto members` shows them.',
      several: 'Several users fit. Say which by their id',
      choice: (row) => `${choiceOf(row.user_id, name)} (${row.name ?? 'no name'})`,
    });
  }

  /** A group by name or short id; the whole network by its id. */
  group(network: NetworkRow, ref: string): GroupMeant {
    const main = { group_id: network.network_id, kind: 'main' } as const;
    const groups: readonly GroupMeant[] = [main, ...this.#asking.groups(network.identity)];
    const isNamed = (row: GroupMeant) => row.kind !== 'main' && row.name === ref;
    const found = meantBy(groups, ref, {
      ids: (row) => [row.group_id],
      isNamed,
      digits_min: DIGITS_OF_PLACE,
    });
    return theOne(found, {
      none: 'You are in no such group here. `sotto group list` shows them.',
      several: 'Several groups fit. Say which by its id',
      choice: (row) => choiceOf(row.group_id, ref),
    });
  }

  /** The same, where the whole network makes no sense. */
  privateGroup(network: NetworkRow, ref: string): GroupRow {
    const group = this.group(network, ref);
    if (group.kind === 'main')
      throw new SottoError('bad_input', 'Expected a private group, got the id of the whole network.');
    return group;
  }

  /** A channel by its name or id; `@name`: the direct messages with that user, and nothing else that may be called so. */
  channel(network: Place, ref: string): ChannelPlace {
    const channels = placesOfChannels(this.#asking, network);
    if (ref.startsWith('@')) {
      const { user_id } = this.user(network, ref);
      const found = channels.find(
        ({ partner_ids }) => partner_ids.length === 1 && partner_ids[0] === user_id,
      );
      if (found !== undefined) return found;
      throw new SottoError(
        'not_found',
        `There are no direct messages with that user yet. \`sotto dm USER TEXT\` sends one.`,
      );
    }
    const name = ref.replace(/^#/, '');
    const isNamed = (row: ChannelPlace) =>
      row.partner_ids.length === 0 && (row.name === ref || row.name === name);
    const ids = (row: ChannelPlace) => row.channel_ids;
    return theOne(meantBy(channels, ref, { ids, isNamed, digits_min: DIGITS_OF_PLACE }), {
      none: 'There is no such channel here. `sotto channel list` shows them.',
      several: 'Several channels fit. Say which by its id',
      choice: (row) => `${choiceOf(row.channel_id, ref)} (${placeOf(row)})`,
    });
  }

  /** A message by the beginning of its id. */
  message({ identity }: Place, ref: string): Id {
    if (!isDigits(ref)) {
      throw new SottoError(
        'bad_input',
        'Expected a message by 4 to 64 hex digits of its id, as `sotto read` shows it.',
      );
    }
    // Of a whole id there is one at the most.
    const is_whole = ref.length === 64;
    const found = is_whole
      ? this.#asking
          .query<unknown>('get_message_by_id', { message_id: ref }, identity)
          .map(() => ({ message_id: ref }))
      : this.#asking.query<{ message_id: Id }>('get_messages_by_prefix', { prefix: ref }, identity);
    return theOne(found, {
      none: 'There is no such message here.',
      several: 'Several messages begin with these digits. Give more of the id',
      choice: ({ message_id }) => message_id.slice(12, 28),
    }).message_id;
  }

  /** Every device that has ever been let in. */
  devices({ identity }: NetworkRow): DeviceRow[] {
    return this.#asking.query<DeviceRow>('get_devices', {}, identity);
  }

  /** A device by the first digits of its key. */
  device(network: NetworkRow, ref: string): DeviceRow {
    if (!isDigits(ref)) {
      throw new SottoError(
        'bad_input',
        'Expected a device by 4 to 64 hex digits of its key, as `sotto device list` shows it.',
      );
    }
    const found = this.devices(network).filter((row) => row.device_id.startsWith(ref));
    return theOne(found, {
      none: 'There is no such device here. `sotto device list` shows them.',
      several: 'Several devices begin with these digits. Give more of the key',
      choice: ({ device_id }) => device_id.slice(0, 16),
    });
  }

  /** An invite by the beginning of its id. */
  invite({ identity }: NetworkRow, ref: string): Id {
    const invites = this.#asking.query<{ invite_id: Id }>('get_invites', {}, identity);
    const found = invites.filter((row) => fits(row.invite_id, ref));
    return theOne(found, {
      none: 'There is no such invite here. `sotto invite list` shows them.',
      several: 'Several invites begin with these digits. Give more of the id',
      choice: ({ invite_id }) => invite_id.slice(12, 28),
    }).invite_id;
  }

  /** An event of any state by the beginning of its id. */
  event({ identity }: NetworkRow, ref: string): StandingRow {
    if (!isDigits(ref))
      throw new SottoError('bad_input', 'Expected an event by 4 to 64 hex digits of its id.');
    const rows = this.#asking.query<StandingRow>('get_standing_of', { prefix: ref }, identity);
    const found = [...new Map(rows.map((row) => [row.event_id, row])).values()];
    return theOne(found, {
      none: 'This node knows no such event. It may never have come, or have been dropped.',
      several: 'Several events begin with these digits. Give more of the id',
      choice: ({ event_id }) => event_id.slice(12, 28),
    });
  }
}

function asOption({ user_name, user_id }: NetworkRow): string {
  if (user_name !== null) return ` --as '${user_name}'`;
  return user_id === null ? '' : ` --as ${shortId(user_id)}`;
}

function placeOf({ group_kind, group_name, group_id }: ChannelPlace): string {
  if (group_kind === 'main') return 'everyone';
  return group_kind === 'direct' ? 'direct' : (group_name ?? shortId(group_id));
}

/** What one cannot work in is no choice as long as there is something else: a join that nobody has answered yet, a network that one has left. */
function workable<Row extends Pick<NetworkRow, 'admitted' | 'removed'>>(
  fitting: readonly Row[],
): readonly Row[] {
  const admitted = fitting.filter((row) => row.admitted);
  const current = admitted.filter((row) => !row.removed);
  return [current, admitted, fitting].find((rows) => rows.length > 0) ?? [];
}
