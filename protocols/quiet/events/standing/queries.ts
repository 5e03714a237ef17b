import { boolean, id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** Facts come in pages: any member may write any number of them, and none may be left out. */
export const FACTS_PER_PAGE = 10_000;
const page = { offset: integer() };
const PAGE = `LIMIT ${FACTS_PER_PAGE} OFFSET :offset`;

/** Whether anything has ever been taken away: without that, everything that was said counts. */
export const hasRemovals = query({
  description: 'Whether anybody was ever removed, or a right taken away.',
  params: {},
  row: { has_removals: boolean() },
  sql: `
    SELECT EXISTS (SELECT 1 FROM removal r JOIN event e ON e.n = r.event WHERE e.identity = :identity)
      OR EXISTS (SELECT 1 FROM revocation r JOIN event e ON e.n = r.event WHERE e.identity = :identity) AS has_removals`,
});

/** Devices with the users they speak for; `peer_id` is the declaration. */
export const getDeviceFacts = query({
  description: 'Devices with the users they speak for.',
  params: page,
  row: { peer_id: id(), device_id: id(), user_id: id(), is_linked: boolean() },
  sql: `
    SELECT e.id AS peer_id, p.device AS device_id, u.id AS user_id, p.invite IS NOT NULL AS is_linked
    FROM peer p JOIN event e ON e.n = p.event JOIN event u ON u.n = p.user
      JOIN member_device m ON m.identity = e.identity AND m.device = p.device
    WHERE e.identity = :identity ORDER BY e.id ${PAGE}`,
});

/** Who let whom in. */
export const getAdmissionFacts = query({
  description: 'Who let whom in.',
  params: page,
  row: { event_id: id(), author: id(), joiner_id: id() },
  sql: `
    SELECT e.id AS event_id, e.author, j.id AS joiner_id FROM admit a JOIN event e ON e.n = a.event JOIN event j ON j.n = a.joiner
    WHERE e.identity = :identity ORDER BY e.id ${PAGE}`,
});

/** Who gave whom which right, and by what. */
export const getGrantFacts = query({
  description: 'Who gave whom a right, and by which grant of their own.',
  params: page,
  row: { event_id: id(), author: id(), user_id: id(), right: text(16), basis_id: id().nullable() },
  sql: `
    SELECT e.id AS event_id, e.author, u.id AS user_id, g.kind AS right, b.id AS basis_id
    FROM right_grant g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.user LEFT JOIN event b ON b.n = g.basis
    WHERE e.identity = :identity ORDER BY e.id ${PAGE}`,
});

/** Who took which grant away. */
export const getRevocationFacts = query({
  description: 'Who took which grant away, by which grant of their own.',
  params: page,
  row: {
    event_id: id(),
    author: id(),
    seq: integer(),
    group_id: id().nullable(),
    grant_id: id(),
    basis_id: id().nullable(),
    because_id: id().nullable(),
  },
  sql: `
    SELECT e.id AS event_id, e.author, e.seq, a.id AS group_id, g.id AS grant_id, b.id AS basis_id, c.id AS because_id
    FROM revocation r JOIN event e ON e.n = r.event JOIN event g ON g.n = r.grant_event LEFT JOIN event a ON a.n = e.group_n
      LEFT JOIN event b ON b.n = r.basis LEFT JOIN event c ON c.n = r.because
    WHERE e.identity = :identity ORDER BY e.id ${PAGE}`,
});

/** Who removed whom, from the network or from a group. */
export const getRemovalFacts = query({
  description: 'Who removed whom, from the network or from a group.',
  params: page,
  row: {
    event_id: id(),
    author: id(),
    seq: integer(),
    group_id: id().nullable(),
    user_id: id(),
    whole_user: boolean(),
    basis_id: id().nullable(),
    because_id: id().nullable(),
  },
  sql: `
    SELECT e.id AS event_id, e.author, e.seq, g.id AS group_id, u.id AS user_id, r.whole_user, b.id AS basis_id, c.id AS because_id
    FROM removal r JOIN event e ON e.n = r.event JOIN event u ON u.n = r.user LEFT JOIN event g ON g.n = e.group_n
      LEFT JOIN event b ON b.n = r.basis LEFT JOIN event c ON c.n = r.because
    WHERE e.identity = :identity ORDER BY e.id ${PAGE}`,
});

/** The heads that removals and revocations name. */
export const getHeadFacts = query({
  description: 'The last events that removals and revocations leave standing, per device.',
  params: page,
  row: { event_id: id(), device_id: id(), seq: integer(), head: id() },
  sql: `
    SELECT e.id AS event_id, h.device AS device_id, h.seq, h.head FROM removal_head h JOIN event e ON e.n = h.event WHERE e.identity = :identity
    UNION ALL SELECT e.id, h.device, h.seq, h.head FROM revocation_head h JOIN event e ON e.n = h.event WHERE e.identity = :identity
    ORDER BY event_id, device_id ${PAGE}`,
});

/** The removals that the author of a removal says it knew. */
export const getKnownFacts = query({
  description: 'Which removals the author of a removal knew of.',
  params: page,
  row: { event_id: id(), known_id: id() },
  sql: `
    SELECT e.id AS event_id, k.id AS known_id FROM removal_known r JOIN event e ON e.n = r.event JOIN event k ON k.n = r.known
    WHERE e.identity = :identity ORDER BY e.id, k.id ${PAGE}`,
});

/** Who put whom into which private group; the founder's event is among them. */
export const getGroupFacts = query({
  description: 'Who put whom into which private group.',
  params: page,
  row: { event_id: id(), author: id(), group_id: id(), user_id: id(), creator_id: id() },
  sql: `
    SELECT e.id AS event_id, e.author, g.id AS group_id, u.id AS user_id, c.id AS creator_id
    FROM group_member m JOIN event e ON e.n = m.event JOIN event g ON g.n = m.group_n JOIN event u ON u.n = m.user
      JOIN private_group pg ON pg.event = m.group_n JOIN event c ON c.n = pg.creator
    WHERE e.identity = :identity ORDER BY e.id, u.id ${PAGE}`,
});

/** The event at which the walk back along a chain ends because its header is not here. */
export const getMissingOnChain = query({
  description: 'The event at which the walk back along a chain ends because its header is not here.',
  params: { head: id() },
  row: { event_id: id() },
  sql: `
    WITH RECURSIVE chain (id) AS (
      SELECT :head UNION SELECT prev_of(h.header) FROM chain JOIN known_header h ON h.identity = :identity AND h.id = chain.id
    )
    SELECT chain.id AS event_id FROM chain
    WHERE chain.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known_header h WHERE h.identity = :identity AND h.id = chain.id)`,
});

/** Of the facts, those on the chain that ends at `head`. */
export const getFactsOnChain = query({
  description: 'Facts that are reached from an event back along its chain.',
  params: { head: id() },
  row: { event_id: id() },
  sql: `
    WITH RECURSIVE chain (id) AS (
      SELECT :head UNION SELECT prev_of(h.header) FROM chain JOIN known_header h ON h.identity = :identity AND h.id = chain.id
    )
    SELECT e.id AS event_id FROM chain JOIN event e ON e.identity = :identity AND e.id = chain.id
    WHERE e.type IN ('admit', 'grant', 'revoke', 'remove', 'group', 'group-add') ORDER BY e.id`,
});
