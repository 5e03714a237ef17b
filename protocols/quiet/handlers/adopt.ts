/**
 * At the start: events that were kept as they are, because their type was unknown, and whose type this version knows. They go through the
 * pipeline again from where their type first matters.
 */
import type { VerifiedEnvelope } from '../../../core/envelope.ts';
import { decodeHeader } from '../../../core/event-codec.ts';
import type { HandlerContext } from '../../../core/handler.ts';

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
      context.statement('DELETE FROM event WHERE n = :n').run({ n: row.n as number });
      const header = row.header as Uint8Array;
      return {
        stage: 'verified',
        identity: row.identity as number,
        cause: { kind: 'host', name: 'adopt' },
        origin: { from: 'network', session_id: '', device_id: '' },
        depth: 0,
        raw: { header, signature: row.signature as Uint8Array, body: row.body as Uint8Array },
        event_id: (row.id as Uint8Array).toHex(),
        header: decodeHeader(header),
      };
    });
}
