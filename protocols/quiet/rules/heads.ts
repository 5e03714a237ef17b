/** The last events that count of a user's devices (or of one), as this node knows them: what a removal or a revocation names. */
import type { Id } from '../../../core/fields.ts';
import { limits } from '../../../core/limits.ts';
import type { Query } from '../../../core/query.ts';
import { getChainHeads } from '../events/remove/queries.ts';

export function headsOf(
  query: Query,
  who: { readonly user_id: Id; readonly device_id: Id | null },
  group_id: Id | null,
): { device_ids: Id[]; head_seqs: number[]; head_ids: Id[] } {
  const heads = query(getChainHeads, { ...who, group_id }).slice(0, limits.devices_per_user_max);
  return {
    device_ids: heads.map((head) => head.device_id),
    head_seqs: heads.map((head) => head.seq),
    head_ids: heads.map((head) => head.head),
  };
}
