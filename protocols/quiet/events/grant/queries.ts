import { id, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** A grant as it was made, in force or not. */
export const getGrant = query({
  description: 'A grant as it was made, in force or not.',
  params: { grant_id: id() },
  row: { user_id: id(), right: text(16) },
  sql: `
    SELECT u.id AS user_id, g.kind AS right FROM right_grant g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.user
    WHERE e.identity = :identity AND e.id = :grant_id`,
});

/** The grants in force, per user and right. */
export const getRights = query({
  description: 'The rights that users have now, by the grants that give them.',
  params: { user_id: id().nullable() },
  row: { grant_id: id(), user_id: id(), right: text(16), basis_id: id().nullable() },
  sql: `
    SELECT e.id AS grant_id, u.id AS user_id, g.kind AS right, b.id AS basis_id
    FROM right_grant g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.user LEFT JOIN event b ON b.n = g.basis
    WHERE e.identity = :identity AND (:user_id IS NULL OR u.id = :user_id)
      AND NOT EXISTS (SELECT 1 FROM right_cut c WHERE c.identity = e.identity AND c.grant_id = e.id)
    ORDER BY CASE g.kind WHEN 'admin' THEN 0 ELSE 1 END, e.id`,
});
