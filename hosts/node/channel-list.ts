/**
 * The channels of an identity as people see them: those of direct conversations under their partner's name, and several conversations with the
 * same partner (two that were begun at once) as one.
 */
import type { ChannelView } from '../../api/facade.ts';
import type { Id } from '../../core/fields.ts';
import type { Asking, NetworkRow } from './asking.ts';

export interface ChannelEntry extends ChannelView {
  readonly read_until_ms: number | null;
  /** All channels that this entry stands for; the first is `channel_id`. */
  readonly channel_ids: readonly Id[];
  /** The other users of a direct conversation, sorted; nobody for other channels. */
  readonly partner_ids: readonly Id[];
}

type ChannelRow = ChannelView & { readonly read_until_ms: number | null };

export function channelsOf(asking: Asking, { identity }: NetworkRow): ChannelEntry[] {
  const rows = asking.query<ChannelRow>('get_channels', {}, identity);
  if (!rows.some(isDirect))
    return rows.map((row) => ({ ...row, channel_ids: [row.channel_id], partner_ids: [] }));
  const names = asking.names(identity);
  const partners = Map.groupBy(
    asking.query<{ group_id: Id; user_id: Id }>('get_direct_partners', {}, identity),
    (row) => row.group_id,
  );
  const partnersIn = (row: ChannelRow) => (partners.get(row.group_id) ?? []).map(({ user_id }) => user_id);
  const entries = new Map<string, ChannelEntry>();
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
    entries.set(place, before === undefined ? { ...entry, name } : merged(before, { ...entry, name }));
  }
  return [...entries.values()];
}

/** The channels of the conversations with exactly this user, in the order in which everybody uses them. */
export function directChannelsWith(
  asking: Asking,
  { identity }: NetworkRow,
  user_id: Id,
): readonly { readonly group_id: Id; readonly channel_id: Id }[] {
  return asking.query('get_direct_channels', { user_id }, identity);
}

const isDirect = (row: ChannelRow): boolean => row.group_kind === 'direct';

/** Two conversations as one. The group with the lower id comes first: on both sides new messages go there. */
function merged(one: ChannelEntry, other: ChannelEntry): ChannelEntry {
  const [first, second] =
    `${one.group_id} ${one.channel_id}` < `${other.group_id} ${other.channel_id}`
      ? [one, other]
      : [other, one];
  return {
    ...first,
    channel_ids: [...first.channel_ids, ...second.channel_ids],
    unread: one.unread + other.unread,
    messages: one.messages + other.messages,
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
  for (const channel of channelsOf(asking, network)) {
    for (const channel_id of channel.channel_ids) places.set(channel_id, channel.name);
    if (channel.group_kind === 'direct') places.set(channel.group_id, channel.name);
  }
  return places;
}
