import { id, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** Where peers may be reached: what they announced, and what invites said of those who announced nothing. */
export const getPeersToDial = query({
  description: 'Devices of the network and the addresses under which they may be reached.',
  params: {},
  row: { device_id: id(), address: text(255) },
  sql: `
    SELECT device_id, address FROM (
      SELECT m.device AS device_id,
        (SELECT a.address FROM address a JOIN live_event e ON e.n = a.event
          WHERE e.identity = m.identity AND e.author = m.device ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1) AS address
      FROM current_device m WHERE m.identity = :identity
      UNION
      SELECT h.device, h.address FROM dial_hint h WHERE h.identity = :identity
        AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.identity = h.identity AND c.device = h.device AND c.group_id = x'')
    )
    WHERE address IS NOT NULL
      -- Who has been removed dials nobody: nobody would answer.
      AND NOT EXISTS (SELECT 1 FROM cut c JOIN identity i ON i.identity = c.identity AND i.device = c.device WHERE c.identity = :identity AND c.group_id = x'')
      AND device_id <> (SELECT i.device FROM identity i WHERE i.identity = :identity)
    ORDER BY device_id, address`,
});
