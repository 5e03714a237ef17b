/** Ways into a network as the API shows them: invites, links for further devices, and joining by them. */
import type { InviteView, NodeFacade } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Id } from '../../core/fields.ts';
import { describeIssues } from '../../core/query.ts';
import { decodeInviteLink, encodeInviteLink, type InviteLink } from '../invite-link.ts';
import { type NetworkRow, onlyEvent } from './asking.ts';
import type { Joins } from './joins.ts';
import type { ViewPorts } from './ports.ts';

interface InviteRow {
  readonly invite_id: Id;
  readonly kind: 'person' | 'device';
  readonly author_user_id: Id | null;
  readonly uses: number;
  readonly used: number;
  readonly expires_ms: number;
  readonly revoked: boolean;
}

export function invitesView(
  { parts, asking, find, announced }: ViewPorts,
  joins: Joins,
): Pick<NodeFacade, 'createInvite' | 'linkDevice' | 'invites' | 'revokeInvite' | 'join'> {
  /** Makes an invite and its link. `user_id`: whose further device it is for. */
  function invite(network: NetworkRow, command: string, input: Record<string, number>, user_id: Id | null) {
    const made = asking.command(command, network.identity, input);
    const invite_id = onlyEvent(made);
    const row = asking.query<{ uses: number; expires_ms: number }>(
      'get_invite',
      { invite_id },
      network.identity,
    )[0];
    const secret = made.reply.secret as Uint8Array;
    const { network_id, device_id } = network;
    const link = encodeInviteLink({
      network_id,
      invite_id,
      secret,
      device_id,
      addresses: [announced],
      user_id,
    });
    secret.fill(0);
    return { link, invite_id, uses: row?.uses ?? 0, expires_ms: row?.expires_ms ?? 0 };
  }

  /** What whoever joins by a link wants to be called. Checked before anything is done for it: it is said only once we have been let in. */
  function nameFor({ user_id }: InviteLink, name: string | undefined): string | null {
    if (user_id !== null && name === undefined) return null;
    if (user_id !== null)
      throw new SottoError(
        'bad_input',
        "This link is for a further device of a user, and brings the user's own name. Leave out yours; `sotto rename` changes it.",
      );
    if (name === undefined)
      throw new SottoError(
        'bad_input',
        'Say what you want to be called in that network: `sotto join LINK --as NAME`. Only the link of a device brings a name.',
      );
    const checked = parts.protocol.commands.get('set_profile')?.value.check.safeParse({ name });
    if (checked?.success === false) throw new SottoError('bad_input', describeIssues(checked.error));
    return name;
  }

  return {
    createInvite({ uses, ttl_ms, ...selector }) {
      return invite(find.select(selector), 'create_invite', { uses, ttl_ms }, null);
    },

    linkDevice({ ttl_ms, ...selector }) {
      const network = find.select(selector);
      const { uses: _one, ...made } = invite(network, 'create_device_link', { ttl_ms }, network.user_id);
      return made;
    },

    invites(input): readonly InviteView[] {
      const { identity } = find.select(input);
      const names = asking.names(identity);
      const now_ms = parts.clock.wall_ms();
      return asking.query<InviteRow>('get_invites', {}, identity).map((row) => ({
        invite_id: row.invite_id,
        kind: row.kind,
        made_by: row.author_user_id === null ? null : names.shown(row.author_user_id),
        uses: row.uses,
        used: row.used,
        expires_ms: row.expires_ms,
        state: stateOf(row, now_ms),
      }));
    },

    revokeInvite({ invite_ref, ...selector }) {
      const network = find.select(selector);
      const invite_id = find.invite(network, invite_ref);
      asking.command('take_invite_back', network.identity, { invite_id });
      return { invite_id };
    },

    async join(input) {
      const link = decodeInviteLink(input.link);
      const name = nameFor(link, input.as);
      if (name !== null) {
        const isSame = (row: NetworkRow) => row.network_id === link.network_id && row.user_name === name;
        if (asking.networks().some(isSame))
          throw new SottoError('already_joined', `This node is in that network already, as ${name}.`);
      }
      const joined = await joins.join(link, name, input.timeout_ms);
      return {
        network_id: joined.network_id,
        user_id: joined.user_id ?? link.user_id ?? '',
        device_id: joined.device_id,
      };
    },
  };
}

function stateOf({ revoked, used, uses, expires_ms }: InviteRow, now_ms: number): InviteView['state'] {
  if (revoked) return 'revoked';
  if (used > uses) return 'overused';
  if (used === uses) return 'used_up';
  return expires_ms <= now_ms ? 'expired' : 'open';
}
