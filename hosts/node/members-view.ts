/** Users and their devices as the API shows them: names, rights, and how they go. */
import type { DeviceView, MemberView, NodeFacade, Selector } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { ViewPorts } from './ports.ts';
import { rightsOf } from './rights.ts';

export function membersView({
  asking,
  find,
}: ViewPorts): Pick<
  NodeFacade,
  'members' | 'devices' | 'removeUser' | 'removeDevice' | 'grant' | 'revoke' | 'renameMe'
> {
  type About = { right: string; user_ref: string } & Selector;

  function change(command: 'grant_right' | 'revoke_right', { right, user_ref, ...selector }: About) {
    const network = find.select(selector);
    const { user_id } = find.user(network, user_ref);
    asking.command(command, network.identity, { user_id, right });
    return { user_id, right };
  }

  return {
    members({ group_ref, ...selector }): readonly MemberView[] {
      const network = find.select(selector);
      const group = group_ref === undefined ? null : find.group(network, group_ref);
      const group_id = group === null || group.kind === 'main' ? null : group.group_id;
      const everybody = asking.members(network.identity);
      const rights = rightsOf(asking, network, everybody);
      const shown = group_id === null ? everybody : asking.members(network.identity, group_id);
      return shown.map((row) => ({
        user_id: row.user_id,
        name: row.name,
        state: row.devices === 0 ? 'removed' : 'member',
        rights: rights(row.user_id),
        devices: row.devices,
        joined_ms: row.joined_ms,
        is_me: row.user_id === network.user_id,
      }));
    },

    devices(input): readonly DeviceView[] {
      const network = find.select(input);
      const names = asking.names(network.identity);
      return find.devices(network).map(({ is_current, ...row }) => ({
        ...row,
        user_name: names.of(row.user_id),
        state: is_current ? 'member' : 'removed',
      }));
    },

    removeUser({ user_ref, ...selector }) {
      const network = find.select(selector);
      const { user_id, devices } = find.user(network, user_ref);
      if (devices === 0) throw new SottoError('already_removed', 'This user has been removed already.');
      if (user_id === network.user_id)
        throw new SottoError(
          'yourself',
          'This is you. To leave the network, with all your devices: sotto leave',
        );
      asking.command('remove_user', network.identity, { user_id, group_id: null });
      return { user_id, devices };
    },

    removeDevice({ device_ref, ...selector }) {
      const network = find.select(selector);
      const { device_id, is_current } = find.device(network, device_ref);
      if (!is_current) throw new SottoError('already_removed', 'This device has been removed already.');
      if (device_id === network.device_id)
        throw new SottoError(
          'yourself',
          'This is the device that you are using. Remove it from another one of yours; or leave the network, with all your devices: sotto leave',
        );
      asking.command('remove_device', network.identity, { device_id });
      return { device_id };
    },

    grant: (input) => change('grant_right', input),
    revoke: (input) => change('revoke_right', input),

    renameMe({ name, ...selector }) {
      const { identity, user_id } = find.select(selector);
      asking.command('set_profile', identity, { name });
      return { user_id: user_id ?? '', name };
    },
  };
}
