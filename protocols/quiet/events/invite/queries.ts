import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

const USED =
  '(SELECT count(DISTINCT a.joiner) FROM admit a WHERE a.joiner IN (SELECT event FROM user WHERE invite = i.event UNION ALL SELECT event FROM peer WHERE invite = i.event))';

/** SQL: whether an invite was taken back, by somebody whose word counts: not by the removed, behind where their words end. */
export const isTakenBack = (invite: string) => `
  EXISTS (SELECT 1 FROM invite_revocation x JOIN event xe ON xe.n = x.event WHERE x.invite = ${invite}
    AND (EXISTS (SELECT 1 FROM current_device xc WHERE xc.identity = xe.identity AND xc.device = xe.author)
      OR EXISTS (SELECT 1 FROM chain_link xl WHERE xl.identity = xe.identity AND xl.id = xe.id)))`;

/** An invite, and how many that came by it have been let in. */
export const getInvite = query({
  description: 'An invite, and how many that came by it have been let in.',
  params: { invite_id: id() },
  row: {
    invite_id: id(),
    invite_key: id(),
    uses: integer(),
    used: integer(),
    expires_ms: integer(),
    user_id: id().nullable(),
    author: id(),
  },
  sql: `
    SELECT e.id AS invite_id, i.invite_key, i.uses, i.invite_expires_ms AS expires_ms, u.id AS user_id, e.author, ${USED} AS used
    FROM invite i JOIN event e ON e.n = i.event LEFT JOIN event u ON u.n = i.user
    WHERE e.identity = :identity AND e.id = :invite_id`,
});

/** All invites, newest first, for people. */
export const getInvites = query({
  description: 'All invites of the network, newest first.',
  params: {},
  row: {
    invite_id: id(),
    kind: text(8),
    author_user_id: id().nullable(),
    uses: integer(),
    used: integer(),
    expires_ms: integer(),
    revoked: boolean(),
  },
  sql: `
    SELECT e.id AS invite_id, CASE WHEN i.user IS NULL THEN 'person' ELSE 'device' END AS kind, d.user_id AS author_user_id, i.uses,
      ${USED} AS used, i.invite_expires_ms AS expires_ms,
      (${isTakenBack('i.event')}
        OR NOT EXISTS (SELECT 1 FROM current_device m WHERE m.identity = e.identity AND m.device = e.author)
        OR EXISTS (SELECT 1 FROM event g JOIN right_cut c ON c.identity = g.identity AND c.grant_id = g.id
          WHERE g.n = i.basis AND c.device IN (x'', e.author) AND c.group_id = x'')) AS revoked
    FROM invite i JOIN event e ON e.n = i.event LEFT JOIN device_user d ON d.identity = e.identity AND d.device = e.author
    WHERE e.identity = :identity ORDER BY e.id DESC LIMIT 1000`,
});
