/**
 * The queue of events that wait (`waiting`, `waiting_for` in `store.sql`): edges and a counter each, so that what became valid finds those that
 * waited for it without looking at any other.
 */
import type { SqlRow } from '../../../core/db.ts';
import type { Cause, Identity, VerifiedEnvelope } from '../../../core/envelope.ts';
import { decodeHeader } from '../../../core/event-codec.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';

/** Removes the edges to `missing` (an event id or a device), and takes out of the queue the events that wait for nothing more. */
export function takeReleasedBy(
  context: HandlerContext,
  identity: Identity,
  missing: Id,
  cause: Cause,
): VerifiedEnvelope[] {
  const params = { identity, missing: Uint8Array.fromHex(missing) };
  const edges = context
    .statement('SELECT waiting FROM waiting_for WHERE identity = :identity AND missing = :missing')
    .all(params);
  if (edges.length === 0) return [];
  context.statement('DELETE FROM waiting_for WHERE identity = :identity AND missing = :missing').run(params);
  const released: VerifiedEnvelope[] = [];
  for (const { waiting } of edges) {
    const n = waiting as number;
    context.statement('UPDATE waiting SET missing = missing - 1 WHERE n = :n').run({ n });
    const row = context.statement('SELECT missing FROM waiting WHERE n = :n').get({ n });
    if (row?.missing === 0) released.push(takeOut(context, n, cause));
  }
  return released;
}

/** Takes one event out of the queue, verified as it was when it came in. */
export function takeOut(context: HandlerContext, n: number, cause: Cause): VerifiedEnvelope {
  const row = context
    .statement('SELECT identity, id, header, signature, body FROM waiting WHERE n = :n')
    .get({ n }) as SqlRow;
  drop(context, n);
  const header = row.header as Uint8Array;
  return {
    stage: 'verified',
    identity: row.identity as number,
    cause,
    // It came from the network once; whose session that was no longer matters.
    origin: { from: 'network', session_id: '', device_id: '' },
    depth: 0,
    raw: { header, signature: row.signature as Uint8Array, body: row.body as Uint8Array },
    event_id: (row.id as Uint8Array).toHex(),
    header: decodeHeader(header),
  };
}

/** Drops the events that wait for an event which can never become valid. */
export function dropWaitingFor(context: HandlerContext, identity: Identity, missing: Id): void {
  const rows = context
    .statement('SELECT waiting FROM waiting_for WHERE identity = :identity AND missing = :missing')
    .all({ identity, missing: Uint8Array.fromHex(missing) });
  for (const { waiting } of rows) drop(context, waiting as number);
}

/** Drops an event that itself waits. */
export function dropWaitingItself(context: HandlerContext, identity: Identity, event_id: Id): void {
  const row = context
    .statement('SELECT n FROM waiting WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  if (row !== undefined) drop(context, row.n as number);
}

export function drop(context: HandlerContext, n: number): void {
  context.statement('DELETE FROM waiting_for WHERE waiting = :n').run({ n });
  context.statement('DELETE FROM waiting WHERE n = :n').run({ n });
}
