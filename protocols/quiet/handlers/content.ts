/**
 * The accessor of content: the SQL functions `opened_body(...)`, which the view `live_event` calls for sealed events, and `content(field, body)`.
 * Texts and names are in no table; a query that shows them opens them as it reads. What was opened is kept in memory, within bounds, and
 * only there; secrets are wiped as soon as a body is open.
 */

import { decodeSealed } from '../../../core/body-codec.ts';
import { decode } from '../../../core/cbor.ts';
import type { Db, SqlValue } from '../../../core/db.ts';
import type { Header } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { limits } from '../../../core/limits.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { openBody, unwrapContentKey } from './content-key.ts';
import { plainSecret } from './key-slot.ts';

export function installContent(db: Db): void {
  const cache = new OpenedBodies();
  CACHES.set(db, cache);
  db.scalar('content', { deterministic: true }, (field, body) => {
    if (typeof field !== 'string' || !(body instanceof Uint8Array)) return null;
    const fields = decode(body);
    if (!(fields instanceof Map)) return null;
    const value: unknown = fields.get(field);
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  });
  db.scalar('opened_body', { deterministic: true }, (...columns) => {
    if (!columns.slice(0, 6).every((column) => column instanceof Uint8Array)) return null;
    const [id, header, body, key_id, wrap, stored, nonce, tag] = columns as Uint8Array[];
    const event_id = id!.toHex();
    const known = cache.get(event_id);
    if (known !== undefined) return known;
    const group_key = plainSecret(db, stored!, nonce ?? null, tag ?? null);
    const content_key = unwrapContentKey(group_key, event_id, key_id!.toHex(), wrap!);
    wipe(group_key);
    if (content_key === null) return null;
    const plaintext = openBody(content_key, header!, body!);
    wipe(content_key);
    if (plaintext === null) return null;
    const opened = decodeSealed(plaintext).body;
    cache.add(event_id, opened);
    return opened;
  });
  // The link that a chain of events goes back by, for the queries that walk it; and whose chain it is.
  db.scalar('prev_of', { deterministic: true }, (header) => prevOf(header ?? null));
  db.scalar('author_of', { deterministic: true }, (header) => bytesOf(header, ({ author }) => author));
  db.scalar('group_of', { deterministic: true }, (header) => bytesOf(header, ({ group_id }) => group_id));
  db.scalar('seq_of', { deterministic: true }, (header) =>
    header instanceof Uint8Array ? decodeHeader(header).seq : null,
  );
}

const CACHES = new WeakMap<Db, OpenedBodies>();

/** What is deleted is not kept in memory either. */
export function forgetOpened(db: Db, event_id: Id): void {
  CACHES.get(db)?.drop(event_id);
}

const prevOf = (header: SqlValue): SqlValue => bytesOf(header, ({ prev }) => prev);

function bytesOf(header: SqlValue | undefined, what: (header: Header) => Id | null): SqlValue {
  if (!(header instanceof Uint8Array)) return null;
  const id = what(decodeHeader(header));
  return id === null ? null : Uint8Array.fromHex(id);
}

/** Bodies that were opened a moment ago: the least recently used go first. Rows are only reached by those who may read them. */
class OpenedBodies {
  readonly #bodies = new Map<string, Uint8Array>();
  #bytes = 0;

  get(event_id: string): Uint8Array | undefined {
    const body = this.#bodies.get(event_id);
    if (body === undefined) return undefined;
    this.#bodies.delete(event_id);
    this.#bodies.set(event_id, body);
    return body;
  }

  drop(event_id: string): void {
    const body = this.#bodies.get(event_id);
    if (body === undefined) return;
    this.#bodies.delete(event_id);
    this.#bytes -= body.length;
    body.fill(0);
  }

  add(event_id: string, body: Uint8Array): void {
    this.#bodies.set(event_id, body);
    this.#bytes += body.length;
    for (const oldest of this.#bodies.keys()) {
      const fits =
        this.#bodies.size <= limits.opened_cache_entries_max && this.#bytes <= limits.opened_cache_bytes_max;
      if (fits) break;
      this.drop(oldest);
    }
  }
}
