/**
 * Takes up what has waited for its time (events from the future), and drops what has waited too long: it will be asked for again if it still
 * exists somewhere. What this device wrote itself may exist nowhere else (the first words of a newcomer whom nobody has met yet), and waits on.
 * Types with effect `release`, emitted by the job `release_waiting`.
 */
import { handler } from '../../../core/handler.ts';
import { limits } from '../../../core/limits.ts';
import { emit } from '../../../core/outcome.ts';
import { drop, takeOut } from './waiting.ts';

/** Events taken up per instruction: the job repeats while there are more. */
const BATCH = 500;

export const releaseDue = handler({
  name: 'release-due',
  takes: 'instruction',
  gives: [],
  accepts: (envelope) => envelope.draft.type.effect === 'release',
  process: (envelope, context) => {
    const { identity, cause } = envelope;
    const due = context
      .statement(
        `SELECT n FROM waiting WHERE identity = :identity AND not_before_ms > 0 AND not_before_ms <= :now_ms ORDER BY not_before_ms, n LIMIT ${BATCH}`,
      )
      .all({ identity, now_ms: context.now_ms });
    const released = due.map(({ n }) => takeOut(context, n as number, cause));
    const stale = context
      .statement(
        `SELECT n FROM waiting WHERE identity = :identity AND received_ms < :oldest_ms
           AND author NOT IN (SELECT device FROM identity WHERE identity = :identity) ORDER BY n LIMIT ${BATCH}`,
      )
      .all({ identity, oldest_ms: context.now_ms - limits.waiting_ms_max });
    for (const { n } of stale) drop(context, n as number);
    if (stale.length > 0) context.count('waited_too_long', stale.length);
    return emit(released.map((waited) => ({ envelope: waited })));
  },
});
