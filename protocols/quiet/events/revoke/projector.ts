import { insert, insertOnce, projector } from '../../../../core/sources.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getGrant } from '../grant/queries.ts';
import { getRevocation } from './queries.ts';
import { revoke } from './schema.ts';

export const projectRevoke = projector(revoke, {
  rules: {
    names_a_grant: (query, event) => query(getGrant, { grant_id: event.body.grant_id }).length > 0,
    author_may_revoke: (query, event) => {
      const { because_id, basis_id, grant_id } = event.body;
      if (because_id === null) return mayActBy(query, event.author, basis_id, 'admin');
      const followed = query(getRevocation, { revocation_id: because_id })[0];
      return event.group_id !== null && followed?.grant_id === grant_id && followed.group_id === null;
    },
    one_head_per_device: (_query, event) =>
      event.body.device_ids.length === event.body.head_seqs.length &&
      event.body.device_ids.length === event.body.head_ids.length,
  },
  project: (_query, event) => [
    insert('revocation', {
      grant_event: event.body.grant_id,
      basis: event.body.basis_id,
      because: event.body.because_id,
    }),
    ...event.body.device_ids.map((device, at) =>
      insertOnce('revocation_head', {
        device,
        seq: event.body.head_seqs[at] ?? 0,
        head: event.body.head_ids[at],
      }),
    ),
  ],
});
