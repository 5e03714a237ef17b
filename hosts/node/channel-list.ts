/**
 * The channels of an identity as people see them: those of direct conversations under their partner's name, and several conversations with the
 * same partner (two that were begun at once) as one.
 */
import type { ChannelView } from '../../api/facade.ts';
import type { Id } from '../../core/fields.ts';
import type { Asking, NetworkRow, Place } from './asking.ts';

/** A channel, without how much was said in it. */
export interface ChannelPlace extends Omit<ChannelView, 'messages' | 'unread'> {
  readonly read_until_ms: number | null;
  /** All channels that this entry stands for; the first is `channel_id`. */
  readonly channel_ids: readonly Id[];
  /** The other users of a direct conversation, sorted; nobody for other channels. */
  readonly partner_ids: readonly Id[];
}
export type ChannelEntry = ChannelPlace & ChannelView;

type PlaceRow = Omit<ChannelPlace, 'channel_ids' | 'partner_ids'>;
type ChannelRow = PlaceRow & ChannelView;

/** The channels, with how much was said in each: for lists. */
export const channelsOf = (asking: Asking, network: NetworkRow): ChannelEntry[] =>
  entriesOf(
    asking,
    network,
    asking.query<ChannelRow>('get_channels', {}, network.identity),
    (one, other) => ({
      ...merged(one, other),
      unread: one.unread + other.unread,
      messages: one.messages + other.messages,
    }),
  );

/** The channels alone: to find one, however much was said. */
export const placesOfChannels = (asking: Asking, network: Place): ChannelPlace[] =>
  entriesOf(asking, network, asking.query<PlaceRow>('get_channel_places', {}, network.identity), merged);

type EntryOf<Row> = Row & Pick<ChannelPlace, 'channel_ids' | 'partner_ids'>;

function entriesOf<Row extends PlaceRow>(
  asking: Asking,
  { identity }: Place,
  rows: readonly Row[],
  merge: (one: EntryOf<Row>, other: EntryOf<Row>) => EntryOf<Row>,
): EntryOf<Row>[] {
  if (!rows.some(isDirect))
    return rows.map((row) => ({ ...row, channel_ids: [row.channel_id], partner_ids: [] }));
  const names = asking.names(identity);
  const partners = Map.groupBy(
    asking.query<{ group_id: Id; user_id: Id }>('get_direct_partners', {}, identity),
    (row) => row.group_id,
  );
  const partnersIn = (row: Row) => (partners.get(row.group_id) ?? []).map(({ user_id }) => user_id);
  const entries = new Map<string, EntryOf<Row>>();
  for (const row of rows) {
    const partner_ids = isDirect(row) ? partnersIn(row) : [];
    const entry = { ...row, channel_ids: [row.channel_id], partner_ids };
    if (partner_ids.length === 0) {
      entries.set(row.channel_id, entry);
      continue;
    }
    const name = `@${partner_ids.map((user_id) => names.shown(user_id)).join(', @')}`;
    const place = partner_ids.join();
    const before = entries.get(place);
    entries.set(place, before === undefined ? { ...entry, name } : merge(before, { ...entry, name }));
  }
  return [...entries.values()];
}

/** The channels of the conversations with exactly this user, in the order in which everybody uses them. */
export function directChannelsWith(
  asking: Asking,
  { identity }: Place,
  user_id: Id,
): readonly { readonly group_id: Id; readonly channel_id: Id }[] {
  return asking.query('get_direct_channels', { user_id }, identity);
}

const isDirect = (row: PlaceRow): boolean => row.group_kind === 'direct';

/** Two conversations as one. The group with the lower id comes first: on both sides new messages go there. */
function merged<Row extends PlaceRow>(one: EntryOf<Row>, other: EntryOf<Row>): EntryOf<Row> {
  const [first, second] =
    `${one.group_id} ${one.channel_id}` < `${other.group_id} ${other.channel_id}`
      ? [one, other]
      : [other, one];
  return {
    ...first,
    channel_ids: [...first.channel_ids, ...second.channel_ids],
    created_ms: Math.min(one.created_ms, other.created_ms),
    read_until_ms:
      one.read_until_ms === null && other.read_until_ms === null
        ? null
        : Math.max(one.read_until_ms ?? 0, other.read_until_ms ?? 0),
  };
}

/** Names of groups and channels by their ids, for lists of other things. */
export function placesOf(asking: Asking, network: NetworkRow): ReadonlyMap<Id, string> {
  const places = new Map<Id, string>();
  for (const { group_id, name } of asking.groups(network.identity))
    if (name !== null) places.set(group_id, name);
  for (const channel of placesOfChannels(asking, network)) {
    for (const channel_id of channel.channel_ids) places.set(channel_id, channel.name);
    if (channel.group_kind === 'direct') places.set(channel.group_id, channel.name);
  }
  return places;
}
