/**
 * At the start: events that were kept as they are, because their type was unknown, and whose type this version knows. They go through the
 * pipeline again from where their type first matters.
 */
import type { Cause, RawEvent, VerifiedEnvelope } from '../../../core/envelope.ts';
import type { HandlerContext } from '../../../core/handler.ts';
import { removeEvent } from './store.ts';
import { verifiedAgain } from './waiting.ts';
import { wrapsOf } from './wraps.ts';

/** Taken up per start: an upgrade must not hold the node back for minutes; the rest follows at the next start. */
const BATCH = 10_000;

export function adoptKnownTypes(context: HandlerContext): VerifiedEnvelope[] {
  const rows = context
    .statement(
      `SELECT n, identity, id, type, header, signature, body FROM event WHERE opaque = 1 AND body IS NOT NULL ORDER BY n LIMIT ${BATCH}`,
    )
    .all();
  return rows
    .filter((row) => context.protocol.types.has(row.type as string))
    .map((row) => {
      const n = row.n as number;
      const raw: RawEvent = {
        header: row.header as Uint8Array,
        signature: row.signature as Uint8Array,
        body: row.body as Uint8Array,
        wraps: wrapsOf(context, n),
      };
      removeEvent(context, n);
      const cause: Cause = { kind: 'host', name: 'adopt' };
      return verifiedAgain(row.identity as number, (row.id as Uint8Array).toHex(), raw, cause);
    });
}
