import { id, text } from '../../../../core/fields.ts';
import { query } from '../../../../core/query.ts';

/** The newest address of every other member's device. */
export const getAddresses = query({
  description: 'The newest address of every device of the network but this one.',
  params: {},
  row: { device_id: id(), address: text(255) },
  sql: `
    SELECT m.device AS device_id,
      (SELECT a.address FROM address a JOIN live_event e ON e.n = a.event
        WHERE e.identity = m.identity AND e.author = m.device ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1) AS address
    FROM member_device m
    WHERE m.identity = :identity AND m.device <> (SELECT i.device FROM identity i WHERE i.identity = :identity)
      AND EXISTS (SELECT 1 FROM address a JOIN live_event e ON e.n = a.event WHERE e.identity = m.identity AND e.author = m.device)
    ORDER BY m.device`,
});

/** The address that this device has announced last. */
export const getMyAddress = query({
  description: 'The address that this device has announced last.',
  params: {},
  row: { address: text(255) },
  sql: `
    SELECT a.address FROM address a JOIN live_event e ON e.n = a.event JOIN identity i ON i.identity = e.identity AND i.device = e.author
    WHERE e.identity = :identity ORDER BY e.created_ms DESC, e.seq DESC, e.id DESC LIMIT 1`,
});
