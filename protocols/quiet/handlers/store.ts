/**
 * Reads and writes of the pipeline's own tables (`store.sql`) that more than one handler needs.
 */
import type { SqlParams } from '../../../core/db.ts';
import type { Header, Identity, RawEvent } from '../../../core/envelope.ts';
import type { EventType } from '../../../core/event-type.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { dropWraps } from './wraps.ts';

/** Where an id stands: valid and alive, dead (a tombstone is left), waiting, refused for good, or unknown. */
export type Standing = 'live' | 'dead' | 'waiting' | 'refused' | 'unknown';

const STANDING = `
  SELECT CASE WHEN e.body IS NULL AND e.superseded = 0 THEN 'dead' ELSE 'live' END AS standing, g.id AS group_id
    FROM event e LEFT JOIN event g ON g.n = e.group_n WHERE e.identity = :identity AND e.id = :id
  UNION ALL SELECT 'waiting', NULL FROM waiting WHERE identity = :identity AND id = :id
  UNION ALL SELECT 'refused', NULL FROM refused WHERE identity = :identity AND id = :id
  LIMIT 1`;

/** Where an id stands, and the private group it is for (null: everybody, or not known). */
export function standingOf(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
): { readonly standing: Standing; readonly group_id: Id | null } {
  const row = context.statement(STANDING).get({ identity, id: Uint8Array.fromHex(event_id) });
  if (row === undefined) return { standing: 'unknown', group_id: null };
  return { standing: row.standing as Standing, group_id: hexOrNull(row.group_id) };
}

export const hexOrNull = (value: unknown): Id | null => (value instanceof Uint8Array ? value.toHex() : null);

/** The same for what an event rests on, which many others of the frame rest on, too: that it lives is remembered. */
export function standingOfBase(context: HandlerContext, identity: Identity, event_id: Id) {
  return context.remembered(
    `standing ${identity} ${event_id}`,
    () => standingOf(context, identity, event_id),
    { keep: ({ standing }) => standing === 'live' },
  );
}

/** The number of an event's row, or null. */
export function rowNumberOf(context: HandlerContext, identity: Identity, event_id: Id): number | null {
  const ask = () =>
    context
      .statement('SELECT n FROM event WHERE identity = :identity AND id = :id')
      .get({ identity, id: Uint8Array.fromHex(event_id) })?.n as number | undefined;
  return context.remembered(`row ${identity} ${event_id}`, ask, { keep: (n) => n !== undefined }) ?? null;
}

/** Whether a row is there; that one is, is remembered under `name`. */
function exists(context: HandlerContext, name: string, sql: string, params: () => SqlParams): boolean {
  const ask = () => context.statement(sql).get(params()) !== undefined;
  return context.remembered(name, ask, { keep: (found) => found });
}

/** Whether a device has ever been let in. */
export const isMemberDevice = (context: HandlerContext, identity: Identity, device_id: Id): boolean =>
  exists(
    context,
    `member ${identity} ${device_id}`,
    'SELECT 1 AS found FROM member_device WHERE identity = :identity AND device = :device',
    () => ({ identity, device: Uint8Array.fromHex(device_id) }),
  );

/** Whether a device was let in and is not removed. */
export const isCurrentDevice = (context: HandlerContext, identity: Identity, device_id: Id): boolean =>
  exists(
    context,
    `current ${identity} ${device_id}`,
    'SELECT 1 AS found FROM current_device WHERE identity = :identity AND device = :device',
    () => ({ identity, device: Uint8Array.fromHex(device_id) }),
  );

/** Whether a device belongs to somebody who has ever been put into a private group. */
export const isGroupDevice = (
  context: HandlerContext,
  identity: Identity,
  group_id: Id,
  device_id: Id,
): boolean =>
  exists(
    context,
    `in group ${identity} ${group_id} ${device_id}`,
    'SELECT 1 AS found FROM group_device WHERE identity = :identity AND group_id = :group_id AND device = :device',
    () => ({ identity, group_id: Uint8Array.fromHex(group_id), device: Uint8Array.fromHex(device_id) }),
  );

/** Facts say who belongs and who may what. They are kept whoever wrote them and judged together; see `standing`. */
export const isFact = (type: EventType): boolean =>
  type.effect === 'root' || type.effect === 'membership' || type.effect === 'group';

/**
 * Whether a cut takes it away. Facts are judged together instead; a key says by its id what it is, so that it does no harm whoever brings it, while
 * events of others may be sealed under it; and a key that is dirty stays so, whoever said it.
 */
export const isCuttable = (type: EventType): boolean =>
  !isFact(type) && type.effect !== 'key' && type.effect !== 'dirty';

/**
 * The private group that an event is for, null for everybody: also the chain that it stands in, so that everybody who gets one event of a
 * chain can get all. What founds a group is for that group, and the first event of its author's chain there.
 */
export function audienceOf(header: Header, is_group: boolean, event_id: Id): Id | null {
  if (is_group) return event_id;
  return header.group_id === header.network_id ? null : header.group_id;
}

/** The same, told from the header alone. */
export function audienceOfHeader(context: HandlerContext, header: Header, event_id: Id): Id | null {
  const effect = header.type === null ? undefined : context.protocol.types.get(header.type)?.value.effect;
  return audienceOf(header, effect === 'group', event_id);
}

export interface StoredAs {
  readonly type: string;
  /** The private group it is for. */
  readonly audience: Id | null;
  readonly opaque?: boolean;
  /** The body is gone, the event lives on with another's content. */
  readonly superseded?: boolean;
}

/** Adds an event's row; `body` null makes it a tombstone (or a superseded event). Returns its number. */
export function insertEvent(
  context: HandlerContext,
  identity: Identity,
  event_id: Id,
  header: Header,
  raw: Omit<RawEvent, 'body' | 'wraps'> & { readonly body: Uint8Array | null },
  { type, audience, opaque = false, superseded = false }: StoredAs,
): number {
  const params: SqlParams = {
    identity,
    id: Uint8Array.fromHex(event_id),
    type,
    author: Uint8Array.fromHex(header.author),
    group_n: audience === null || audience === event_id ? null : rowNumberOf(context, identity, audience),
    seq: header.seq,
    created_ms: header.created_ms,
    expires_ms: header.expires_ms,
    sealed: header.type === null ? 1 : 0,
    superseded: superseded ? 1 : 0,
    opaque: opaque ? 1 : 0,
    header: raw.header,
    signature: raw.signature,
    body: raw.body,
  };
  const n = context
    .statement(
      `INSERT INTO event (identity, id, type, author, group_n, seq, created_ms, expires_ms, sealed, superseded, opaque, header, signature, body)
       VALUES (:identity, :id, :type, :author, :group_n, :seq, :created_ms, :expires_ms, :sealed, :superseded, :opaque, :header, :signature, :body)`,
    )
    .run(params).last_insert_rowid;
  context.remembered(`row ${identity} ${event_id}`, () => n);
  if (audience === event_id) context.statement('UPDATE event SET group_n = n WHERE n = :n').run({ n });
  return n;
}

/** Takes an event's row away as if it had never come, with its edges and wraps. Its projections go first; see `removeProjections`. */
export function removeEvent(context: HandlerContext, n: number): void {
  removeProjections(context, n);
  dropWraps(context, n);
  for (const edges of [
    'depends_on WHERE event',
    'depends_on WHERE target',
    'aimed_at WHERE event',
    'dying WHERE event',
  ])
    context.statement(`DELETE FROM ${edges} = :n`).run({ n });
  context.statement('DELETE FROM event WHERE n = :n').run({ n });
}

/** Removes the rows that projectors made of an event: in every table whose column `event` refers to one. */
export function removeProjections(context: HandlerContext, n: number, but: readonly string[] = []): void {
  for (const table of projectionTables(context))
    if (!but.includes(table)) context.statement(`DELETE FROM ${table} WHERE event = :n`).run({ n });
}

const TABLES = new WeakMap<HandlerContext['db'], readonly string[]>();

function projectionTables(context: HandlerContext): readonly string[] {
  const known = TABLES.get(context.db);
  if (known !== undefined) return known;
  const rows = context
    .statement(
      `SELECT m.name AS name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
       WHERE m.type = 'table' AND f."table" = 'event' AND f."from" = 'event' ORDER BY m.name`,
    )
    .all();
  const tables = rows.map((row) => row.name as string);
  TABLES.set(context.db, tables);
  return tables;
}
