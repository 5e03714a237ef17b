/**
 * What a valid deletion does (types with effect `delete`): its target dies, and with it everything that hangs on it. A dead event keeps its
 * signed header, so that it is recognised when somebody offers it again; its body, its rows in every table and its places in every queue go.
 */
import { assert } from '../../../core/assert.ts';
import type { SqlRow } from '../../../core/db.ts';
import { decodeHeader } from '../../../core/event-codec.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { type AfterCommit, advance, type Follow } from '../../../core/outcome.ts';
import { insertEvent, rowNumberOf } from './store.ts';
import { dropWaitingItself, takeReleasedBy } from './waiting.ts';

export const deleteEvents = handler({
  name: 'delete',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'delete',
  process: (envelope, context) => {
    const { identity, event } = envelope;
    const { target } = event;
    assert(target !== null, 'a valid deletion has a target');
    const after: AfterCommit[] = [];
    const follows: Follow[] = [];
    // What waited for something that is now dead has waited long enough: it is judged, and dies with it or is refused.
    const release = (event_id: Id) => {
      for (const waited of takeReleasedBy(context, identity, event_id, envelope.cause))
        follows.push({ envelope: waited });
    };
    const n = rowNumberOf(context, identity, target.event_id);
    if (n === null) {
      const body = event.body as Readonly<Record<string, unknown>>;
      const header = Uint8Array.fromHex(body.target_header as string);
      const signature = Uint8Array.fromHex(body.target_signature as string);
      insertEvent(
        context,
        identity,
        target.event_id,
        decodeHeader(header),
        { header, signature, body: null },
        { type: target.type ?? 'sealed', opaque: false },
      );
      dropWaitingItself(context, identity, target.event_id);
    } else {
      for (const dead of withDependents(n, context)) {
        const row = kill(dead, context);
        const event_id = (row.id as Uint8Array).toHex();
        after.push({ effect: 'changed', identity, type: row.type as string, event_id });
        release(event_id);
      }
    }
    release(target.event_id);
    return advance(envelope, { after, follows });
  },
});

/** An event's number and those of all that hang on it, through any number of links. */
function withDependents(n: number, context: HandlerContext): number[] {
  const rows = context
    .statement(
      `WITH RECURSIVE dying (n) AS (SELECT :n UNION SELECT d.event FROM dies_with d JOIN dying ON d.target = dying.n)
       SELECT dying.n AS n FROM dying JOIN event ON event.n = dying.n WHERE event.body IS NOT NULL`,
    )
    .all({ n });
  return rows.map((row) => row.n as number);
}

/** Leaves the tombstone of an event. Returns its id and type. */
function kill(n: number, context: HandlerContext): SqlRow {
  const row = context.statement('SELECT id, type FROM event WHERE n = :n').get({ n });
  assert(row !== undefined, 'what dies is stored');
  for (const table of tablesOfEvents(context))
    context.statement(`DELETE FROM ${table} WHERE event = :n`).run({ n });
  context.statement('DELETE FROM dies_with WHERE target = :n').run({ n });
  context.statement('UPDATE event SET body = NULL WHERE n = :n').run({ n });
  return row;
}

/** Projections: every table with a column `event` that refers to one. */
function tablesOfEvents(context: HandlerContext): string[] {
  const rows = context
    .statement(
      `SELECT m.name AS name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
       WHERE m.type = 'table' AND f."table" = 'event' AND f."from" = 'event' ORDER BY m.name`,
    )
    .all();
  return rows.map((row) => row.name as string);
}
