/**
 * What a valid deletion does (types with effect `delete`): its target dies, and with it everything that hangs on it. And what this node takes off
 * its own disk (types with effect `erase`): what has expired, and wraps that are no longer needed.
 */
import { assert } from '../../../core/assert.ts';
import type { Identity, ValidEnvelope } from '../../../core/envelope.ts';
import type { Id } from '../../../core/fields.ts';
import { type HandlerContext, handler } from '../../../core/handler.ts';
import { decodeHeader } from '../../../core/header-codec.ts';
import { type AfterCommit, advance, type Follow } from '../../../core/outcome.ts';
import { wipe } from '../../../crypto/bytes.ts';
import { withKeys } from './group-keys.ts';
import { killAll, killHanging } from './kill.ts';
import { provedBy } from './prove.ts';
import { audienceOf, insertEvent, rowNumberOf } from './store.ts';
import { drop, STANDING_CAUSE, takeOut, takeReleasedBy, waitingNumberOf } from './waiting.ts';
import { cleanWinnersOf, dropDirtyWraps, markNeeded, openWinner, type Winner } from './wraps.ts';

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
    // What waited for something that is now dead has waited long enough: it is judged, and dies with it.
    const release = (event_id: Id) => {
      for (const waited of takeReleasedBy(context, identity, event_id, envelope.cause))
        follows.push({ envelope: waited });
      // Edits of it that wait for something else are not to outlive it.
      const edits = context
        .statement('SELECT n FROM waiting WHERE identity = :identity AND target = :target ORDER BY id')
        .all({ identity, target: Uint8Array.fromHex(event_id) });
      for (const { n } of edits) follows.push({ envelope: takeOut(context, n as number, STANDING_CAUSE) });
    };
    const n = rowNumberOf(context, identity, target.event_id);
    if (n === null) {
      const body = event.body as Readonly<Record<string, unknown>>;
      const header = Uint8Array.fromHex(body.target_header as string);
      const signature = Uint8Array.fromHex(body.target_signature as string);
      const decoded = decodeHeader(header);
      insertEvent(
        context,
        identity,
        target.event_id,
        decoded,
        { header, signature, body: null },
        { type: target.type ?? 'sealed', audience: audienceOf(decoded, false, target.event_id) },
      );
      const waiting = waitingNumberOf(context, identity, target.event_id);
      if (waiting !== null) drop(context, waiting);
      release(target.event_id);
      follows.push(...provedBy(envelope, target.event_id, decoded, context));
      return advance(envelope, { after, follows });
    }
    for (const died of killAll(n, context, identity, 'deleted')) {
      after.push(died.after);
      release(died.event_id);
    }
    return advance(envelope, { after, follows });
  },
});

/** The founding document's DeleteHandler: a job says what is owed; whether it is, is asked again here. */
export const eraseEvents = handler({
  name: 'erase',
  takes: 'valid',
  gives: ['valid'],
  accepts: (envelope) => envelope.type.effect === 'erase',
  process: (envelope, context) => {
    const { identity } = envelope;
    const { event_ids, why } = envelope.event.body as unknown as {
      readonly event_ids: readonly Id[];
      readonly why: 'expired' | 'hanging' | 'rekeyed';
    };
    if (why === 'hanging') return advance(envelope, takeAlong(event_ids, envelope, context));
    const after =
      why === 'expired'
        ? event_ids.flatMap((event_id) => expire(event_id, identity, context))
        : dropReplaced(event_ids, identity, context);
    return advance(envelope, { after });
  },
});

/** So many of what hangs on one dead event die with one instruction. */
const HANGING = 64;

/** What hangs on the dead dies, too, where it was too much for the transaction in which they died. */
function takeAlong(event_ids: readonly Id[], envelope: ValidEnvelope, context: HandlerContext) {
  const { identity, cause } = envelope;
  const follows: Follow[] = [];
  const after: AfterCommit[] = [];
  for (const event_id of event_ids) {
    const n = rowNumberOf(context, identity, event_id);
    if (n === null) continue;
    for (const died of killHanging(n, context, identity, HANGING)) {
      after.push(died.after);
      for (const waited of takeReleasedBy(context, identity, died.event_id, cause))
        follows.push({ envelope: waited });
    }
  }
  return { follows, after };
}

/** Its time is over: its content goes, with what hangs on it. Every device does this for itself; nobody is told. */
function expire(event_id: Id, identity: Identity, context: HandlerContext): AfterCommit[] {
  const waiting = waitingNumberOf(context, identity, event_id);
  if (waiting !== null) {
    const row = context.statement('SELECT expires_ms FROM waiting WHERE n = :waiting').get({ waiting });
    if ((row?.expires_ms as number) <= context.now_ms) drop(context, waiting);
    return [];
  }
  const row = context
    .statement('SELECT n, expires_ms FROM event WHERE identity = :identity AND id = :id')
    .get({ identity, id: Uint8Array.fromHex(event_id) });
  if (row === undefined || (row.expires_ms as number) > context.now_ms) return [];
  return killAll(row.n as number, context, identity, 'expired').map(({ after }) => after);
}

/** Wraps under dirty keys go where one under a clean key is stored and opens. */
function dropReplaced(event_ids: readonly Id[], identity: Identity, context: HandlerContext): AfterCommit[] {
  const winners = cleanWinnersOf(context, identity, event_ids);
  const sound: Winner[] = [];
  const unsound: Id[] = [];
  withKeys(context, (keyOf) => {
    for (const event_id of event_ids) {
      const winner = winners.get(event_id);
      const opened = winner === undefined ? null : openWinner(keyOf(winner.key_n), winner);
      if (winner === undefined || opened === null) {
        context.count('erase:no_other_wrap_opens');
        unsound.push(event_id);
        continue;
      }
      wipe(opened);
      sound.push(winner);
    }
  });
  dropDirtyWraps(context, sound);
  markNeeded(context, identity, unsound);
  return [];
}
