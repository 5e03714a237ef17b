/** The rights of users as people see them. */
import type { Id } from '../../core/fields.ts';
import type { Asking, MemberRow, NetworkRow } from './asking.ts';

/** In the order in which they are shown. */
const ALL = ['admin', 'invite', 'delete'] as const;

/** What users may, for all of a network at once: whoever founded it everything, whoever was removed nothing. */
export function rightsOf(
  asking: Asking,
  { identity }: NetworkRow,
  members: readonly MemberRow[],
): (user_id: Id) => readonly string[] {
  const here = new Set(members.filter(({ devices }) => devices > 0).map(({ user_id }) => user_id));
  const creator = asking.query<{ device_id: Id }>('get_network_creator', {}, identity)[0];
  const founder =
    creator &&
    asking.query<{ user_id: Id }>('get_user_of_device', { device_id: creator.device_id }, identity)[0];
  const granted = Map.groupBy(
    asking.query<{ user_id: Id; right: string }>('get_rights', { user_id: null }, identity),
    (row) => row.user_id,
  );
  return (user_id) => {
    if (!here.has(user_id)) return [];
    if (user_id === founder?.user_id) return ALL;
    const rights = new Set(granted.get(user_id)?.map(({ right }) => right));
    return ALL.filter((right) => rights.has(right));
  };
}
