import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** An invite and how many users that came by it have been let in. */
export const getInvite = query({
  description: 'An invite, and how many users that came by it have been let in.',
  params: { invite_id: id() },
  row: { invite_id: id(), invite_key: id(), uses: integer(), used: integer(), expires_ms: integer() },
  sql: `
    SELECT e.id AS invite_id, i.invite_key, i.uses, i.invite_expires_ms AS expires_ms,
      (SELECT count(DISTINCT a.user) FROM admit a JOIN user u ON u.event = a.user WHERE u.invite = i.event) AS used
    FROM invite i JOIN event e ON e.n = i.event
    WHERE e.identity = :identity AND e.id = :invite_id`,
});
