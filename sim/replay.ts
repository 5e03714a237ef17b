/**
 * S1: what projections hold is a function of the set of events. A second engine hears all that one machine has, in another order, and has to come to the
 * same rows.
 */
import type { Db } from '../core/db.ts';
import type { RawEvent } from '../core/envelope.ts';
import type { Protocol } from '../core/protocol.ts';
import { rebuildOf } from '../hosts/node/integrity.ts';
import { isFact } from '../protocols/quiet/handlers/store.ts';
import type { Chance } from './chance.ts';

const EVENTS =
  'SELECT n, identity, id, type, header, signature, body FROM event WHERE body IS NOT NULL ORDER BY n';
const WRAPS = `
  SELECT k.id AS key_id, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key
  WHERE w.of = :n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL ORDER BY k.dirty_ms IS NOT NULL, k.expires_ms, k.id`;
interface Heard {
  readonly identity: number;
  readonly id: Uint8Array;
  readonly raw: RawEvent;
  readonly is_fact: boolean;
}

/** What is not the same; null: nothing. */
export function replayed(db: Db, protocol: Protocol, now_ms: number, chance: Chance): string | null {
  const wraps = db.prepare(WRAPS);
  const all = db
    .prepare(EVENTS)
    .all()
    .map(({ n, identity, id, type, header, signature, body }): Heard => {
      const of_event = wraps.all({ n: n as number }).map(({ key_id, sealed }) => ({
        key_id: (key_id as Uint8Array).toHex(),
        sealed: sealed as Uint8Array,
      }));
      const raw = {
        header: header as Uint8Array,
        signature: signature as Uint8Array,
        body: body as Uint8Array,
        wraps: of_event,
      };
      const of_type = protocol.types.get(type as string)?.value;
      const is_fact = of_type !== undefined && isFact(of_type);
      return { identity: identity as number, id: id as Uint8Array, raw, is_fact };
    });
  const others = chance.holds(0.5) ? all.toReversed() : chance.shuffled(all);
  // Of somebody whom nobody has let in yet little may wait: who belongs is heard first.
  const order = [...others.filter(({ is_fact }) => is_fact), ...others.filter(({ is_fact }) => !is_fact)];
  const rebuilt = rebuildOf(db, protocol, now_ms);
  try {
    for (const { identity, id, raw } of order) rebuilt.take(identity, id, raw);
    let found: string | null = null;
    rebuilt.compare((_, problem) => {
      found ??= problem;
    });
    return found;
  } finally {
    rebuilt.close();
  }
}
