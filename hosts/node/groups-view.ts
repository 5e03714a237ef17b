/** Groups as the API shows them: the whole network, private groups, and direct conversations. */
import type { GroupView, NodeFacade, Selector } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Id } from '../../core/fields.ts';
import { type MemberRow, madeMs, Names } from './asking.ts';
import type { ViewPorts } from './ports.ts';

export function groupsView({
  asking,
  find,
}: ViewPorts): Pick<NodeFacade, 'createGroup' | 'groups' | 'addToGroup' | 'removeFromGroup'> {
  type About = { group_ref: string; user_ref: string } & Selector;

  function meant({ group_ref, user_ref, ...selector }: About) {
    const network = find.select(selector);
    const { group_id } = find.privateGroup(network, group_ref);
    const { user_id } = find.user(network, user_ref);
    const in_group = asking.members(network.identity, group_id).find((row) => row.user_id === user_id);
    return { identity: network.identity, group_id, user_id, in_group };
  }

  return {
    createGroup({ name, user_refs, ...selector }) {
      const network = find.select(selector);
      if (asking.groups(network.identity).some((group) => group.name === name))
        throw new SottoError('group_exists', 'You are in a group of that name already.');
      const member_ids = new Set(user_refs.map((ref) => find.user(network, ref).user_id));
      member_ids.delete(network.user_id ?? '');
      const made = asking.command('create_group', network.identity, { name, member_ids: [...member_ids] });
      return { group_id: made.event_ids[0] ?? '', channel_id: made.event_ids.at(-1) ?? '', name };
    },

    groups(input): readonly GroupView[] {
      const network = find.select(input);
      const { identity, network_id } = network;
      const everybody = asking.members(identity);
      const names = new Names(everybody);
      const shown = (members: readonly MemberRow[]) =>
        members
          .filter(({ devices }) => devices > 0)
          .map(({ user_id }) => names.shown(user_id))
          .sort();
      const channels = asking.query<{ group_id: Id }>('get_channels', {}, identity);
      const main: GroupView = {
        group_id: network_id,
        kind: 'main',
        name: null,
        members: shown(everybody),
        channels: channels.filter((channel) => channel.group_id === network_id).length,
        created_ms: madeMs(network_id),
      };
      const others = asking.groups(identity).map(
        (group): GroupView => ({
          group_id: group.group_id,
          kind: group.kind,
          name: group.kind === 'direct' ? null : group.name,
          members: shown(asking.members(identity, group.group_id)),
          channels: group.channels,
          created_ms: group.created_ms,
        }),
      );
      return [main, ...others];
    },

    addToGroup(input) {
      const { identity, group_id, user_id, in_group } = meant(input);
      if (in_group !== undefined && in_group.devices > 0)
        throw new SottoError('already_in_group', 'This user is in that group already.');
      if (in_group !== undefined)
        throw new SottoError(
          'already_removed',
          'This user was removed from that group, which is for good. Create another group to have them in it.',
        );
      asking.command('add_to_group', identity, { group_id, user_id });
      return { group_id, user_id };
    },

    removeFromGroup(input) {
      const { identity, group_id, user_id, in_group } = meant(input);
      if (in_group === undefined || in_group.devices === 0)
        throw new SottoError(
          'not_found',
          'This user is not in that group. `sotto members --group` shows who is.',
        );
      asking.command('remove_user', identity, { user_id, group_id });
      return { group_id, user_id };
    },
  };
}
