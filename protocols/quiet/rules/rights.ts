/**
 * Who may say what, as far as it never changes: that a grant names this author's user and this right, and rests on the founder through grants.
 * Whether it is still in force is another question, asked of all facts together (`standing.ts`); an event whose grant is not waits.
 */
import type { Id } from '../../../core/fields.ts';
import type { Query } from '../../../core/query.ts';
import { getGrant } from '../events/grant/queries.ts';
import type { Right } from '../events/grant/schema.ts';
import { getNetworkCreator } from '../events/network/queries.ts';
import { speaksFor } from '../events/peer/queries.ts';
import { getUserOfDevice } from '../events/user/queries.ts';

/** The user who founded the network. */
export function founderOf(query: Query): Id | undefined {
  const creator = query(getNetworkCreator)[0];
  return creator === undefined
    ? undefined
    : query(getUserOfDevice, { device_id: creator.device_id })[0]?.user_id;
}

/** Whether a device speaks for the user who founded the network. */
export function isFounder(query: Query, device_id: Id): boolean {
  const user_id = founderOf(query);
  return user_id !== undefined && query(speaksFor, { device_id, user_id }).length > 0;
}

/** Whether an author may act by `basis_id`: a grant of the right (or of `admin`) to their user; without one only the founder may. */
export function mayActBy(query: Query, author: Id, basis_id: Id | null, right: Right): boolean {
  if (basis_id === null) return isFounder(query, author);
  const grant = query(getGrant, { grant_id: basis_id })[0];
  if (grant === undefined || (grant.right !== right && grant.right !== 'admin')) return false;
  return query(speaksFor, { device_id: author, user_id: grant.user_id }).length > 0;
}
