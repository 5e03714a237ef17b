/**
 * The death of an event, and its undoing. A dead event keeps its signed header, so that it is recognised when somebody offers it again; its
 * body, its wraps, its rows in every table and its places in every queue go, and with it everything that hangs on it.
 */
import { assert } from '../../../core/assert.ts';
import type { Identity } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import type { AfterCommit } from '../../../core/outcome.ts';
import { forgetOpened } from './content.ts';
import { removeEvent, removeProjections } from './store.ts';
import { dropWraps, forgetWraps } from './wraps.ts';

/** An event's number and those of all that hang on it, through any number of links. */
export function withDependents(n: number, context: HandlerContext): number[] {
  const rows = context
    .statement(
      `WITH RECURSIVE hanging (n) AS (SELECT :n UNION SELECT d.event FROM depends_on d JOIN hanging ON d.target = hanging.n)
       SELECT n FROM hanging ORDER BY n`,
    )
    .all({ n });
  return rows.map((row) => row.n as number);
}

/** Why something dies. */
type Why = 'deleted' | 'expired';

/** What hangs on one event and dies with it in the same transaction; more is left to be done in turns. */
const AT_ONCE = 1_000;

interface Died {
  readonly event_id: Id;
  readonly after: AfterCommit;
}

/** Kills an event with all that hangs on it, as far as it can be done at once; what is left is owed (`dying`). Returns who died. */
export function killAll(n: number, context: HandlerContext, identity: Identity, why: Why): Died[] {
  const hanging = context
    .statement(
      `WITH RECURSIVE hanging (n) AS (SELECT :n UNION SELECT d.event FROM depends_on d JOIN hanging ON d.target = hanging.n)
       SELECT n FROM hanging LIMIT :most`,
    )
    .all({ n, most: AT_ONCE + 1 })
    .map((row) => row.n as number);
  if (hanging.length <= AT_ONCE)
    return killEach(
      hanging.toSorted((a, b) => a - b),
      context,
      identity,
      why,
    );
  context
    .statement(
      'INSERT INTO dying (event, identity, after, why) VALUES (:n, :identity, 0, :why) ON CONFLICT DO NOTHING',
    )
    .run({ n, identity, why });
  return killEach([n], context, identity, why);
}

/** Kills the next `most` events that hang on a dying one. */
export function killHanging(n: number, context: HandlerContext, identity: Identity, most: number): Died[] {
  const row = context.statement('SELECT after, why FROM dying WHERE event = :n').get({ n });
  if (row === undefined) return [];
  const next = context
    .statement('SELECT event FROM depends_on WHERE target = :n AND event > :after ORDER BY event LIMIT :most')
    .all({ n, after: row.after as number, most })
    .map(({ event }) => event as number);
  if (next.length < most) context.statement('DELETE FROM dying WHERE event = :n').run({ n });
  else context.statement('UPDATE dying SET after = :after WHERE event = :n').run({ n, after: next.at(-1)! });
  return next.flatMap((one) => killAll(one, context, identity, row.why as Why));
}

function killEach(numbers: readonly number[], context: HandlerContext, identity: Identity, why: Why): Died[] {
  return numbers.map((n) => kill(n, context, identity, why)).filter((died) => died !== null);
}

/**
 * Leaves the tombstone of an event. Returns its id, and what to tell of it; null where it was dead before. What was deleted makes its keys dirty,
 * which then have to go; what has expired does not: its key expires with it.
 */
export function kill(
  n: number,
  context: HandlerContext,
  identity: Identity,
  why: Why = 'deleted',
): Died | null {
  const row = context.statement('SELECT id, type, body, superseded FROM event WHERE n = :n').get({ n });
  assert(row !== undefined, 'what dies is stored');
  if (row.body === null && row.superseded === 0) return null;
  const event_id = (row.id as Uint8Array).toHex();
  removeProjections(context, n);
  forgetBody(n, event_id, context, why);
  context.statement('DELETE FROM aimed_at WHERE event = :n').run({ n });
  // Of what was sealed not even the type is left, as where it was never opened.
  context
    .statement(
      "UPDATE event SET superseded = 0, type = CASE sealed WHEN 1 THEN 'sealed' ELSE type END WHERE n = :n",
    )
    .run({ n });
  return { event_id, after: { effect: 'changed', identity, type: row.type as string, event_id } };
}

/** The body and every key to it. */
export function forgetBody(n: number, event_id: Id, context: HandlerContext, why: Why = 'deleted'): void {
  forgetOpened(context.db, event_id);
  if (why === 'deleted') forgetWraps(context, n);
  else dropWraps(context, n);
  context.statement('UPDATE event SET body = NULL WHERE n = :n').run({ n });
}

/**
 * Undoes what a deletion or an edit did that does not count any more: forgets that the target was dead (and what died with it), so that it is
 * taken in again from a peer that still has it. What another deletion has killed stays dead.
 */
export function unkill(context: HandlerContext, identity: Identity, target: Id): void {
  const row = context
    .statement('SELECT n FROM event WHERE identity = :identity AND id = :id AND body IS NULL')
    .get({ identity, id: Uint8Array.fromHex(target) });
  if (row === undefined) return;
  for (const n of withDependents(row.n as number, context)) {
    const bodiless = context
      .statement(
        `SELECT 1 AS found FROM event e WHERE e.n = :n AND e.body IS NULL AND NOT EXISTS (
           SELECT 1 FROM aimed_at a JOIN event d ON d.n = a.event WHERE a.target = e.id AND d.identity = e.identity)`,
      )
      .get({ n });
    if (bodiless !== undefined) removeEvent(context, n);
  }
}
