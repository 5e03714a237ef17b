/**
 * What a valid edit does (types with effect `replace`): its target lives on with the newest edit's content, and the content of the target and of
 * every older edit is forgotten. The target need not be here: the edit carries its signed header, so that a newcomer, who will never get the old
 * body, still knows whose it was.
 *
 * Which edit is newest is a function of the edits alone (time, then id), and so is what the target now is: were it something else before (only
 * its own author could do that), what hung on it is judged anew.
 */
import { assert } from '../../../core/assert.ts';
import type { ValidEnvelope } from '../../../core/envelope.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { advance, emit, type Follow } from '../../../core/outcome.ts';
import { storeEdges } from './event-store.ts';
import { forgetBody, kill } from './kill.ts';
import { provedBy } from './prove.ts';
import { audienceOf, insertEvent, removeProjections, rowNumberOf } from './store.ts';
import { drop, takeReleasedBy, waitingNumberOf } from './waiting.ts';
import { withdraw } from './withdraw.ts';

export const replaceEvents = handler({
  name: 'replace',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'replace',
  process: (envelope, context) => {
    const { identity, event, type } = envelope;
    const { target } = event;
    assert(target !== null && type.replaces !== null, 'a valid edit has a target');
    const own = rowNumberOf(context, identity, event.event_id);
    assert(own !== null, 'an edit is stored before it takes effect');
    const follows: Follow[] = [];
    const known = rowNumberOf(context, identity, target.event_id);
    if (known !== null && isDead(known, context)) {
      const died = kill(own, context, identity);
      return emit([], died === null ? [] : [died.after]);
    }
    const n = known ?? placeFor(envelope, context, follows);
    if (known === null) {
      const waiting = waitingNumberOf(context, identity, target.event_id);
      if (waiting !== null) drop(context, waiting);
      for (const waited of takeReleasedBy(context, identity, target.event_id, envelope.cause))
        follows.push({ envelope: waited });
    } else {
      for (const judged of becomes(type.replaces, n, envelope, context)) follows.push({ envelope: judged });
    }
    context
      .statement('INSERT INTO depends_on (target, event) VALUES (:n, :own) ON CONFLICT DO NOTHING')
      .run({ n, own });
    if (forgetOlder(n, envelope, context) === own) {
      // The target is where its newest edit says it is, also where it never was here itself.
      context.statement('DELETE FROM depends_on WHERE event = :n').run({ n });
      storeEdges(envelope, n, context);
    }
    return advance(envelope, {
      follows,
      after: [{ effect: 'changed', identity, type: type.replaces, event_id: target.event_id }],
    });
  },
});

function isDead(n: number, context: HandlerContext): boolean {
  return (
    context
      .statement('SELECT 1 AS dead FROM event WHERE n = :n AND body IS NULL AND superseded = 0')
      .get({ n }) !== undefined
  );
}

/** A row for a target that is not here. */
function placeFor(envelope: ValidEnvelope, context: HandlerContext, follows: Follow[]): number {
  const { identity, event, type } = envelope;
  const body = event.body as Readonly<Record<string, unknown>>;
  const header = Uint8Array.fromHex(body.target_header as string);
  const signature = Uint8Array.fromHex(body.target_signature as string);
  const decoded = decodeHeader(header);
  const target_id = event.target?.event_id ?? '';
  follows.push(...provedBy(envelope, target_id, decoded, context));
  return insertEvent(
    context,
    identity,
    target_id,
    decoded,
    { header, signature, body: null },
    { type: type.replaces ?? '', audience: audienceOf(decoded, false, target_id), superseded: true },
  );
}

/** Makes the target what its edit says it is. What rested on its being something else is returned, to be judged anew. */
function becomes(replaces: string, n: number, { identity }: ValidEnvelope, context: HandlerContext) {
  const row = context.statement('SELECT type FROM event WHERE n = :n').get({ n });
  if (row?.type === replaces) return [];
  const hanging = context.statement('SELECT event FROM depends_on WHERE target = :n').all({ n });
  removeProjections(context, n);
  context.statement('UPDATE event SET type = :replaces WHERE n = :n').run({ n, replaces });
  return withdraw(
    context,
    identity,
    hanging.map(({ event }) => event as number),
  );
}

/** Of the target and all its edits only the newest keeps its body. Returns the newest. */
function forgetOlder(
  n: number,
  { identity, event }: ValidEnvelope,
  context: HandlerContext,
): number | undefined {
  const edits = context
    .statement(
      `SELECT e.n, e.id, e.body FROM aimed_at a JOIN event e ON e.n = a.event
       WHERE a.target = :target AND e.identity = :identity AND e.type = :type ORDER BY e.created_ms DESC, e.id DESC`,
    )
    .all({ identity, target: Uint8Array.fromHex(event.target?.event_id ?? ''), type: event.type });
  const target = context.statement('SELECT n, id, body FROM event WHERE n = :n').get({ n });
  for (const older of [target, ...edits.slice(1)]) {
    if (older === undefined || older.body === null) continue;
    forgetBody(older.n as number, (older.id as Uint8Array).toHex(), context);
    context.statement('UPDATE event SET superseded = 1 WHERE n = :n').run({ n: older.n as number });
  }
  return edits[0]?.n as number | undefined;
}
