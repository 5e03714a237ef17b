/** Networks of the node as the API shows them: founding, leaving and erasing them, who this node is in them, and who is there. */
import type { NodeFacade, PeerView, WhoView } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Asking, NetworkRow } from './asking.ts';
import type { Joins } from './joins.ts';
import type { ViewPorts } from './ports.ts';
import { rightsOf } from './rights.ts';

export function networksView(
  { parts, asking, find, announced }: ViewPorts,
  joins: Joins,
): Pick<NodeFacade, 'createNetwork' | 'whoami' | 'peers' | 'leave' | 'deleteNetwork'> {
  return {
    createNetwork(input) {
      const { identity } = asking.command('create_network', 0, { name: input.name, user_name: input.as });
      asking.command('announce_address', identity, { address: announced });
      const network = asking.networks().find((row) => row.identity === identity);
      const channel = asking.query<{ channel_id: string }>('get_channels', {}, identity)[0];
      return {
        network_id: network?.network_id ?? '',
        user_id: network?.user_id ?? '',
        device_id: network?.device_id ?? '',
        channel_id: channel?.channel_id ?? '',
      };
    },

    whoami(input): readonly WhoView[] {
      return find.selectAll(input).map((network) => ({
        network_id: network.network_id,
        network_name: network.name,
        user_id: network.user_id,
        user_name: network.user_name,
        device_id: network.device_id,
        rights: rightsOf(asking, network, asking.members(network.identity))(network.user_id ?? ''),
        state: standingOf(network),
      }));
    },

    peers(input): readonly PeerView[] {
      return find.selectAll(input).flatMap((network) => {
        const names = asking.names(network.identity);
        return asking
          .query<Omit<PeerView, 'user_name' | 'network_id' | 'connected'>>('get_peers', {}, network.identity)
          .map((peer) => ({
            ...peer,
            user_name: names.of(peer.user_id),
            network_id: network.network_id,
            connected: peer.connected_since_ms !== null,
          }));
      });
    },

    leave({ force, ...selector }) {
      const network = find.select(selector);
      if (!force) refuseToAbandon(asking, network);
      asking.command('leave_network', network.identity, {});
      return { network_id: network.network_id };
    },

    deleteNetwork(input) {
      if (input.network === undefined)
        throw new SottoError('bad_input', 'Say which network to erase from this node, by its name or id.');
      const { identity, network_id } = find.selectStrictly(input);
      parts.sessions.end(identity, 'network_deleted');
      joins.forget(identity);
      parts.devices.forget(identity);
      const { reply } = asking.command('forget_network', identity, {});
      parts.purges.finish();
      return { network_id, events: Number(reply.events), secrets: Number(reply.secrets) };
    },
  };
}

/** Where nobody else may let anybody in or put anybody out, leaving is more than one's own affair. */
function refuseToAbandon(asking: Asking, network: NetworkRow): void {
  const here = asking.members(network.identity).filter(({ devices }) => devices > 0);
  const rights = rightsOf(asking, network, here);
  const isAdmin = (user_id: string) => rights(user_id).includes('admin');
  const others = here.filter(({ user_id }) => user_id !== network.user_id);
  if (others.length === 0 || !isAdmin(network.user_id ?? '')) return;
  if (others.some(({ user_id }) => isAdmin(user_id))) return;
  throw new SottoError(
    'last_admin',
    'Nobody else here has the right admin: once you have left, nobody can ever invite, remove anybody or give rights. Give it to somebody first (sotto grant admin USER), or leave all the same: sotto leave --force',
  );
}

function standingOf({ admitted, removed }: NetworkRow): WhoView['state'] {
  if (!admitted) return 'not_yet_let_in';
  return removed ? 'removed' : 'member';
}
