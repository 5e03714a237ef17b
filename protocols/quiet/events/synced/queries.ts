import { integer } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** When this device last agreed with another one. */
export const getLastSynced = query({
  description: 'When this device last agreed with another one about everything.',
  params: {},
  row: { at_ms: integer() },
  sql: 'SELECT at_ms FROM synced WHERE identity = :identity',
});
