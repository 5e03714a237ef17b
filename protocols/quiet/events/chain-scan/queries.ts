import { id, integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

const IS_KNOWN = (what: string) =>
  `EXISTS (SELECT 1 FROM known_header k WHERE k.identity = :identity AND k.id = ${what})`;

/** The events that were taken in since the last look, with what each names as the one before. */
export const getUnscanned = query({
  description:
    'Events that have not been looked through for gaps, with the one before each where that is not here.',
  params: { limit: integer(1, 10_000) },
  row: { n: integer(), missing: id().nullable() },
  sql: `
    SELECT u.n, CASE WHEN u.prev IS NOT NULL AND NOT ${IS_KNOWN('u.prev')} THEN u.prev END AS missing FROM (
      SELECT e.n AS n, prev_of(e.header) AS prev FROM event e NOT INDEXED
      WHERE e.n > coalesce((SELECT through_n FROM chain_scan WHERE identity = :identity), 0) AND e.identity = :identity
      ORDER BY e.n LIMIT :limit) u`,
});

/** Gaps that have closed. */
export const getFoundLinks = query({
  description: 'Ids that were missing in the chains of their authors, and are here by now.',
  params: { limit: integer(1, 10_000) },
  row: { event_id: id() },
  sql: `SELECT m.id AS event_id FROM missing_link m WHERE m.identity = :identity AND ${IS_KNOWN('m.id')} LIMIT :limit`,
});

/** Gaps to ask for: others each time, since some can be had from nobody any more. */
export const getMissingLinks = query({
  description:
    'Ids of which others are the next in the chains of their authors, and of which nothing is here.',
  params: { at: integer(), limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    SELECT m.id AS event_id FROM missing_link m WHERE m.identity = :identity AND NOT ${IS_KNOWN('m.id')}
    ORDER BY place(m.id, CAST(:at AS BLOB)) LIMIT :limit`,
});

/** Headers that can be sent: of events that count or have counted, and those that came alone. */
const HEADERS = `(
  SELECT identity, id, header, body IS NULL OR expires_ms <= :now_ms AS is_gone FROM event
  UNION ALL SELECT identity, id, header, 1 FROM chain_header)`;

/** An event and those before it in its author's chain, as long as they are gone: else they are asked for one after the other. */
export const getDeadBefore = query({
  description: 'An event, and those that come before it in its chain and are gone, the newest first.',
  params: { event_id: id(), limit: integer(1, 1_000) },
  row: { event_id: id() },
  sql: `
    WITH RECURSIVE run (id, header, is_gone, depth) AS (
      SELECT k.id, k.header, k.is_gone, 1 FROM ${HEADERS} k WHERE k.identity = :identity AND k.id = :event_id
      UNION SELECT k.id, k.header, k.is_gone, run.depth + 1 FROM run JOIN ${HEADERS} k ON k.identity = :identity AND k.id = prev_of(run.header)
      WHERE run.is_gone AND run.depth < :limit
    ) SELECT id AS event_id FROM run WHERE depth = 1 OR is_gone GROUP BY id ORDER BY min(depth)`,
});
