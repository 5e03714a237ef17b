/**
 * The rows that let devices in: to the network, and to every private group of their user. They only ever grow (who is removed is cut, see
 * `standing.ts`), so that they are the same in whatever order the events arrived.
 */
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { insertOnce, type RowWrite } from '../../../core/sources.ts';
import { getGroupsOfUser } from '../events/group/queries.ts';

export function letIn(query: Query, user_id: Id, device_ids: readonly Id[]): RowWrite[] {
  const groups = query(getGroupsOfUser, { user_id });
  return device_ids.flatMap((device) => [
    insertOnce('member_device', { device }),
    ...groups.map(({ group_id }) => insertOnce('group_device', { group_id, device })),
  ]);
}
