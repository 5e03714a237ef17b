import { insert, projector, remove } from '../../../../core/sources.ts';
import { gatherFacts } from '../../rules/facts.ts';
import { judgeFacts } from '../../rules/standing.ts';
import { standing } from './schema.ts';

export const projectStanding = projector(standing, {
  project: (query) => {
    const facts = gatherFacts(query);
    const judged = facts === null ? { cuts: [], rights: [] } : judgeFacts(facts);
    return [
      remove('cut', {}),
      remove('right_cut', {}),
      remove('judgement_gap', {}),
      ...(facts?.missing() ?? []).map((missing) => insert('judgement_gap', { missing })),
      ...judged.cuts.map((cut) =>
        insert('cut', { device: cut.device_id, group_id: cut.group_id ?? '', seq: cut.seq, head: cut.head }),
      ),
      ...judged.rights.map((right) =>
        insert('right_cut', {
          grant_id: right.grant_id,
          device: right.device_id ?? '',
          group_id: right.group_id ?? '',
          seq: right.seq,
          head: right.head,
        }),
      ),
    ];
  },
});
