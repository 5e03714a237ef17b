/**
 * The last events that count of a user's devices (or of one), as this node knows them: what a removal or a revocation names. Where a device has
 * written several histories, it is the longest that counts, whatever numbers the others claim: or a thief could write one event with the highest
 * number of all, and have everything before it forgotten together with him. Of a device that is cut off already (or, for a
 * revocation, has lost that right), what came since is not named: it would count again.
 */
import type { Id } from '../../../core/fields.ts';
import { limits } from '../../../core/limits.ts';
import type { Query } from '../../../core/query.ts';
import { getChainLinks, getCut, getDeclaredDevices, LINKS_PER_PAGE } from '../events/remove/queries.ts';

const NONE = { seq: 0, event_id: '00'.repeat(32) };

export function headsOf(
  query: Query,
  who: { readonly user_id: Id; readonly device_id: Id | null },
  group_id: Id | null,
  grant_id: Id | null = null,
): { device_ids: Id[]; head_seqs: number[]; head_ids: Id[] } {
  const device_ids = query(getDeclaredDevices, who)
    .slice(0, limits.devices_per_user_max)
    .map((row) => row.device_id);
  const heads = device_ids.map((device_id) => headOf(query, device_id, group_id, grant_id));
  return {
    device_ids,
    head_seqs: heads.map((head) => head.seq),
    head_ids: heads.map((head) => head.event_id),
  };
}

/** The end of the longest history, if the device is not cut off behind it. Numbers grow along a chain, so that each event comes after the one it names. */
function headOf(
  query: Query,
  device_id: Id,
  group_id: Id | null,
  grant_id: Id | null,
): { seq: number; event_id: Id } {
  const lengths = new Map<Id, number>();
  let head = NONE;
  let longest = 0;
  for (let offset = 0; ; offset += LINKS_PER_PAGE) {
    const links = query(getChainLinks, { device_id, group_id, grant_id, offset });
    for (const { event_id, prev, seq } of links) {
      const length = (prev === null ? 0 : (lengths.get(prev) ?? 0)) + 1;
      lengths.set(event_id, length);
      if (length <= longest) continue;
      longest = length;
      head = { seq, event_id };
    }
    if (links.length < LINKS_PER_PAGE) break;
  }
  const cut = query(getCut, { device_id, group_id })[0];
  return cut?.head != null && cut.seq >= head.seq ? { seq: cut.seq, event_id: cut.head } : head;
}
