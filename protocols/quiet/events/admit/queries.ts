import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';
import { isTakenBack } from '../invite/queries.ts';

/** Who stands at the door with an invite that holds: users and linked devices whom nobody has let in. */
export const getJoinersToAdmit = query({
  description: 'Users and devices that hold a good invite and whom nobody has let in yet.',
  params: { joiner_id: id().nullable(), limit: integer(1, 1_000) },
  row: { joiner_id: id() },
  sql: `
    WITH joiner AS (
      SELECT u.event AS n, u.invite, u.device FROM user u WHERE u.invite IS NOT NULL
      UNION ALL SELECT p.event, p.invite, p.device FROM peer p WHERE p.invite IS NOT NULL
    )
    SELECT e.id AS joiner_id
    FROM joiner j JOIN event e ON e.n = j.n JOIN invite v ON v.event = j.invite JOIN event ve ON ve.n = j.invite
      JOIN identity i ON i.identity = e.identity
    WHERE e.identity = :identity AND (:joiner_id IS NULL OR e.id = :joiner_id)
      AND EXISTS (SELECT 1 FROM current_device me WHERE me.identity = e.identity AND me.device = i.device)
      -- Let in, and by somebody whose word counts: an admission that a removal has voided is made anew.
      AND NOT EXISTS (SELECT 1 FROM current_device c WHERE c.identity = e.identity AND c.device = j.device)
      AND NOT EXISTS (SELECT 1 FROM removal r JOIN peer p ON p.user = r.user WHERE p.device = j.device)
      AND NOT EXISTS (SELECT 1 FROM admit a JOIN event ae ON ae.n = a.event WHERE a.joiner = j.n AND ae.author = i.device)
      AND v.invite_expires_ms > :now_ms
      AND NOT ${isTakenBack('v.event')}
      -- Who made the invite is here still.
      AND EXISTS (SELECT 1 FROM current_device m WHERE m.identity = ve.identity AND m.device = ve.author)
      AND (v.basis IS NULL OR NOT EXISTS (SELECT 1 FROM right_cut x JOIN event g ON g.n = v.basis WHERE x.identity = e.identity AND x.grant_id = g.id AND x.device IN (x'', ve.author) AND x.group_id = x''))
      AND (SELECT count(DISTINCT a.joiner) FROM admit a JOIN joiner k ON k.n = a.joiner WHERE k.invite = v.event AND k.n <> j.n) < v.uses
    ORDER BY e.id LIMIT :limit`,
});
