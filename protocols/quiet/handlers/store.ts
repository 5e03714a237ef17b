/**
 * Reads and writes of the pipeline's own tables (`store.sql`) that more than one handler needs.
 */
import type { SqlParams } from '../../../core/db.ts';
import type { Header, Identity, RawEvent } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';

/** Where an id stands: valid and alive, dead (a tombstone is left), waiting, refused for good, or unknown. */
export type Standing = 'live' | 'dead' | 'waiting' | 'refused' | 'unknown';

const STANDING = `
  SELECT CASE WHEN body IS NULL THEN 'dead' ELSE 'live' END AS standing FROM event WHERE identity = :identity AND id = :id
  UNION ALL SELECT 'waiting' FROM waiting WHERE identity = :identity AND id = :id
  UNION ALL SELECT 'refused' FROM refused WHERE identity = :identity AND id = :id
  LIMIT 1`;

export function standingOf(context: HandlerContext, identity: Identity, event_id: Id): Standing {
  const row = context.statement(STANDING).get({ identity, id: Uint8Array.fromHex(event_id) });
  return (row?.standing as Standing | undefined) ?? 'unknown';
}

/** The number of an event's row, or null. */
export function rowNumberOf(context: HandlerContext, identity: Identity, event_id: Id): number | null {
  const row = context
    .statement('SELECT n FROM event WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  return row === undefined ? null : (row.n as number);
}

export function isMemberDevice(context: HandlerContext, identity: Identity, device_id: Id): boolean {
  const row = context
    .statement('SELECT 1 AS found FROM member_device WHERE identity = :identity AND device = :device')
    .get({ identity, device: Uint8Array.fromHex(device_id) });
  return row !== undefined;
}

/** Adds an event's row; `body` null makes it a tombstone. Returns its number. */
export function insertEvent(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  header: Header,
  raw: Omit<RawEvent, 'body'> & { readonly body: Uint8Array | null },
  options: { readonly type: string; readonly opaque: boolean },
): number {
  const params: SqlParams = {
    identity,
    id: Uint8Array.fromHex(event_id),
    type: options.type,
    author: Uint8Array.fromHex(header.author),
    seq: header.seq,
    created_ms: header.created_ms,
    expires_ms: header.expires_ms,
    opaque: options.opaque ? 1 : 0,
    header: raw.header,
    signature: raw.signature,
    body: raw.body,
  };
  return context
    .statement(
      `INSERT INTO event (identity, id, type, author, seq, created_ms, expires_ms, opaque, header, signature, body)
       VALUES (:identity, :id, :type, :author, :seq, :created_ms, :expires_ms, :opaque, :header, :signature, :body)`,
    )
    .run(params).last_insert_rowid;
}
