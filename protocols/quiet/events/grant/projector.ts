import { insert, projector } from '../../../../core/sources.ts';
import { letIn } from '../../rules/membership.ts';
import { mayActBy } from '../../rules/rights.ts';
import { getFirstDevices } from '../peer/queries.ts';
import { grant } from './schema.ts';

export const projectGrant = projector(grant, {
  rules: {
    /** Rights are given by the founder, or by somebody who was made admin by one who may. */
    author_may_grant: (query, event) => mayActBy(query, event.author, event.body.basis_id, 'admin'),
  },
  // Who is given a right is let in by it: what a senior grants does not hang on whoever opened the door.
  project: (query, event) => [
    insert('right_grant', { user: event.body.user_id, kind: event.body.right, basis: event.body.basis_id }),
    ...letIn(
      query,
      event.body.user_id,
      query(getFirstDevices, { user_id: event.body.user_id }).map(({ device_id }) => device_id),
    ),
  ],
});
