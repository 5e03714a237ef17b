import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** A revocation as it was made, in force or not. */
export const getRevocation = query({
  description: 'A revocation as it was made, in force or not.',
  params: { revocation_id: id() },
  row: { grant_id: id(), group_id: id().nullable() },
  sql: `
    SELECT g.id AS grant_id, a.id AS group_id FROM revocation r JOIN event e ON e.n = r.event JOIN event g ON g.n = r.grant_event
      LEFT JOIN event a ON a.n = e.group_n
    WHERE e.identity = :identity AND e.id = :revocation_id`,
});

/** Grants that were taken away, and groups of this device in which it has not said yet what still counts of what was done by them. */
export const getRightsToClose = query({
  description:
    'Grants that were taken away, and groups of this device in which it is not said yet up to where they counted.',
  params: { limit: integer(1, 1_000) },
  row: { group_id: id(), grant_id: id(), user_id: id(), revocation_id: id() },
  sql: `
    SELECT gd.group_id, c.grant_id, u.id AS user_id, min(e.id) AS revocation_id
    FROM identity i
      JOIN current_group_device mine ON mine.identity = i.identity AND mine.device = i.device
      JOIN right_cut c ON c.identity = i.identity AND c.device <> x'' AND c.group_id = x''
      JOIN group_device gd ON gd.identity = i.identity AND gd.group_id = mine.group_id AND gd.device = c.device
      JOIN event g ON g.identity = i.identity AND g.id = c.grant_id JOIN right_grant rg ON rg.event = g.n JOIN event u ON u.n = rg.user
      JOIN revocation r ON r.grant_event = g.n JOIN event e ON e.n = r.event AND e.group_n IS NULL
    WHERE i.identity = :identity
      AND NOT EXISTS (SELECT 1 FROM revocation r2 JOIN event e2 ON e2.n = r2.event JOIN event g2 ON g2.n = e2.group_n
        WHERE r2.grant_event = g.n AND g2.id = gd.group_id AND e2.author = i.device)
    GROUP BY gd.group_id, c.grant_id, u.id ORDER BY gd.group_id, c.grant_id LIMIT :limit`,
});
