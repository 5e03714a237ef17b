/** Channels as the API shows them, and how far they have been read. */
import type { ChannelView, NodeFacade, UnreadView } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Id } from '../../core/fields.ts';
import type { NetworkRow } from './asking.ts';
import { channelsOf, placesOfChannels } from './channel-list.ts';
import type { ViewPorts } from './ports.ts';

export function channelsView({
  asking,
  find,
}: ViewPorts): Pick<
  NodeFacade,
  | 'createChannel'
  | 'channels'
  | 'unread'
  | 'markRead'
  | 'renameChannel'
  | 'setRetention'
  | 'deleteChannel'
  | 'deleteGroup'
> {
  /** Two channels may have one name, where different people see them. */
  function refuseTaken(network: NetworkRow, group_id: Id, name: string) {
    if (
      placesOfChannels(asking, network).some(
        (channel) => channel.group_id === group_id && channel.name === name,
      )
    )
      throw new SottoError('channel_exists', 'There is a channel of that name already.');
  }

  function refuseDirect(kind: ChannelView['group_kind']) {
    if (kind === 'direct')
      throw new SottoError('is_direct', 'A direct conversation has one channel, called like the other user.');
  }

  const unreadBefore = ({ identity }: NetworkRow, channel_id: Id, message_id: Id): number =>
    asking.query<{ unread: number }>('count_unread_before', { channel_id, message_id }, identity)[0]
      ?.unread ?? 0;

  return {
    createChannel({ name, group_ref, ...selector }) {
      const network = find.select(selector);
      const group = group_ref === undefined ? null : find.group(network, group_ref);
      const group_id = group?.group_id ?? network.network_id;
      refuseDirect(group?.kind ?? 'main');
      refuseTaken(network, group_id, name);
      return {
        channel_id: asking.say('create_channel', network.identity, { name, group_id }),
        group_id,
        name,
      };
    },

    channels(input): readonly ChannelView[] {
      return channelsOf(asking, find.select(input)).map((channel) => ({
        channel_id: channel.channel_id,
        name: channel.name,
        group_id: channel.group_id,
        group_kind: channel.group_kind,
        group_name: channel.group_name,
        unread: channel.unread,
        created_ms: channel.created_ms,
        messages: channel.messages,
        retention_ms: channel.retention_ms,
      }));
    },

    unread(input): readonly UnreadView[] {
      return channelsOf(asking, find.select(input)).map((channel) => ({
        channel_id: channel.channel_id,
        name: channel.name,
        group_name: channel.group_name,
        unread: channel.unread,
        read_until_ms: channel.read_until_ms,
      }));
    },

    markRead({ channel_ref, read_until_ms = null, shown_from, ...selector }) {
      const network = find.select(selector);
      const { channel_id, channel_ids } = find.channel(network, channel_ref);
      const older_unread =
        shown_from === undefined
          ? 0
          : channel_ids
              .map((each) => unreadBefore(network, each, find.message(network, shown_from)))
              .reduce((sum, unread) => sum + unread, 0);
      if (older_unread === 0)
        for (const each of channel_ids)
          asking.command('mark_read', network.identity, { channel_id: each, read_until_ms });
      return { channel_id, older_unread };
    },

    renameChannel({ channel_ref, name, ...selector }) {
      const network = find.select(selector);
      const { channel_id, group_id, group_kind } = find.channel(network, channel_ref);
      refuseDirect(group_kind);
      refuseTaken(network, group_id, name);
      asking.command('rename_channel', network.identity, { channel_id, name });
      return { channel_id, name };
    },

    setRetention({ channel_ref, ttl_ms, ...selector }) {
      const network = find.select(selector);
      const { channel_id, channel_ids } = find.channel(network, channel_ref);
      for (const each of channel_ids)
        asking.command('set_retention', network.identity, { channel_id: each, ttl_ms });
      return { channel_id, ttl_ms };
    },

    deleteChannel({ channel_ref, ...selector }) {
      const network = find.selectStrictly(selector);
      const { channel_id, channel_ids } = find.channel(network, channel_ref);
      for (const each of channel_ids)
        asking.command('remove_channel', network.identity, { channel_id: each });
      return { channel_id };
    },

    deleteGroup({ group_ref, ...selector }) {
      const network = find.selectStrictly(selector);
      const { group_id, kind } = find.group(network, group_ref);
      if (kind === 'main')
        throw new SottoError(
          'is_main_group',
          'This is the whole network. `sotto network delete` erases it from this node; a channel can be deleted for all.',
        );
      asking.command('remove_group', network.identity, { group_id });
      return { group_id };
    },
  };
}
