/**
 * Takes valid events back: as if they had not been judged yet, with all that hangs on them. They are returned, to go through the pipeline
 * again, where they wait if they do not count now. Nothing is lost by it; and what a deletion or an edit did that does not count any more is
 * undone as far as peers still have what it forgot.
 */
import type { Identity, RawEvent, VerifiedEnvelope } from '../../../core/envelope.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { unkill, withDependents } from './kill.ts';
import { isCuttable, removeEvent } from './store.ts';
import { STANDING_CAUSE, verifiedAgain } from './waiting.ts';
import { wrapsOf } from './wraps.ts';

export function withdraw(
  context: HandlerContext,
  identity: Identity,
  numbers: readonly number[],
): VerifiedEnvelope[] {
  const all = new Set(numbers.flatMap((n) => withDependents(n, context)));
  const taken: VerifiedEnvelope[] = [];
  const undone: { readonly target: string; readonly effect: 'delete' | 'replace' }[] = [];
  for (const n of [...all].sort((a, b) => a - b)) {
    const row = context
      .statement('SELECT id, type, header, signature, body, opaque FROM event WHERE n = :n')
      .get({ n });
    if (row === undefined || row.body === null) continue;
    const type = row.opaque === 1 ? undefined : context.protocol.types.get(row.type as string)?.value;
    if (type !== undefined && !isCuttable(type)) continue;
    const raw: RawEvent = {
      header: row.header as Uint8Array,
      signature: row.signature as Uint8Array,
      body: row.body as Uint8Array,
      wraps: wrapsOf(context, n),
    };
    const aim = context.statement('SELECT target FROM aimed_at WHERE event = :n').get({ n });
    removeEvent(context, n);
    if (aim !== undefined && (type?.effect === 'delete' || type?.effect === 'replace'))
      undone.push({ target: (aim.target as Uint8Array).toHex(), effect: type.effect });
    taken.push(verifiedAgain(identity, (row.id as Uint8Array).toHex(), raw, STANDING_CAUSE));
  }
  for (const { target, effect } of undone) {
    if (effect === 'replace') taken.push(...forgetVersions(context, identity, target));
    unkill(context, identity, target);
  }
  return taken;
}

/** Older edits of a target whose newest edit was taken back: their bodies are gone, so they are forgotten, to be had again from others. */
function forgetVersions(context: HandlerContext, identity: Identity, target: string): VerifiedEnvelope[] {
  const id = Uint8Array.fromHex(target);
  const row = context
    .statement('SELECT n, superseded FROM event WHERE identity = :identity AND id = :id')
    .get({ identity, id });
  if (row === undefined || row.superseded === 0) return [];
  const older = context
    .statement(
      `SELECT e.id FROM aimed_at a JOIN event e ON e.n = a.event
       WHERE a.target = :id AND e.identity = :identity AND e.superseded = 1`,
    )
    .all({ identity, id });
  for (const version of older) unkill(context, identity, (version.id as Uint8Array).toHex());
  const hanging = context
    .statement('SELECT event FROM depends_on WHERE target = :n')
    .all({ n: row.n as number });
  return withdraw(
    context,
    identity,
    hanging.map(({ event }) => event as number),
  );
}
