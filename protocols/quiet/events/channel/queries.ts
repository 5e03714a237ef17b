import { id, integer, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The channels of the network by name, oldest first. */
export const getChannels = query({
  description: 'The channels of the network, oldest first.',
  params: {},
  row: { channel_id: id(), name: text(256), created_ms: integer(), messages: integer() },
  sql: `
    SELECT e.id AS channel_id, content('name', e.body) AS name, e.created_ms,
      (SELECT count(*) FROM message m JOIN live_event l ON l.n = m.event WHERE m.channel = c.event) AS messages
    FROM channel c JOIN live_event e ON e.n = c.event
    WHERE e.identity = :identity ORDER BY e.created_ms, e.seq, e.id`,
});
