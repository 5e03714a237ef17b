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

/**
 * SQL: the row of the revocation that ends a right where it ends for a device, as far as it is known; what was taken in after it came too late to be
 * named by another. `c`: the row of the lost right, `group_n`: its group.
 */
export const heardLoss = (c: string, group_n: string) => `
  (SELECT min(r.event) FROM event re JOIN revocation r ON r.event = re.n JOIN event rg ON rg.n = r.grant_event
     LEFT JOIN revocation_head h ON h.event = r.event AND h.device = ${c}.device
   WHERE re.identity = ${c}.identity AND re.group_n IS ${group_n} AND rg.id = ${c}.grant_id
     AND coalesce(h.seq, 0) = ${c}.seq AND (${c}.head IS NULL OR h.head = ${c}.head))`;

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
      JOIN event pg ON pg.identity = i.identity AND pg.id = gd.group_id
    WHERE i.identity = :identity
      -- Said already by this device, or by another that knew as much.
      AND NOT EXISTS (SELECT 1 FROM revocation r2 JOIN event e2 ON e2.n = r2.event
        WHERE r2.grant_event = g.n AND e2.group_n = pg.n AND e2.author = i.device)
      AND NOT EXISTS (
        SELECT 1 FROM right_cut gc WHERE gc.identity = i.identity AND gc.grant_id = c.grant_id AND gc.device = c.device AND gc.group_id = gd.group_id
          AND gc.seq >= coalesce((SELECT max(l.seq) FROM event l WHERE l.identity = i.identity AND l.author = c.device AND l.group_n = pg.n
            AND l.n < ${heardLoss('gc', 'pg.n')}), 0))
    GROUP BY gd.group_id, c.grant_id, u.id ORDER BY gd.group_id, c.grant_id LIMIT :limit`,
});
