/**
 * The one accessor of content: the SQL function `content(field, body)`. Texts and names are in no table of their own; a query that shows them
 * opens them from the stored body as it reads.
 */
import { decode } from '../../../core/cbor.ts';
import type { Db } from '../../../core/db.ts';

export function installContent(db: Db): void {
  db.scalar('content', { deterministic: true }, (field, body) => {
    if (typeof field !== 'string' || !(body instanceof Uint8Array)) return null;
    const fields = decode(body);
    if (!(fields instanceof Map)) return null;
    const value: unknown = fields.get(field);
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  });
}
