import { integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** One row if something has waited for its time, or too long. */
export const getWaitingDue = query({
  description: 'One row if an event has waited for its time, or for too long.',
  params: { oldest_ms: integer() },
  row: { due: integer() },
  sql: `
    SELECT 1 AS due WHERE EXISTS (SELECT 1 FROM waiting WHERE identity = :identity AND not_before_ms > 0 AND not_before_ms <= :now_ms)
      OR EXISTS (SELECT 1 FROM waiting WHERE identity = :identity AND received_ms < :oldest_ms)`,
});

/** What waits, by the rule it waits for. */
export const getWaiting = query({
  description: 'How many events wait, by the rule they wait for.',
  params: {},
  row: { rule: text(64), waiting: integer() },
  sql: 'SELECT rule, count(*) AS waiting FROM waiting WHERE identity = :identity GROUP BY rule ORDER BY rule',
});
