/**
 * Which of several things somebody means by a name or an id. What fits nothing, or several things, is an error that says how to say it better.
 *
 * Names are chosen by others: who calls themselves by the short id of somebody else must not be taken for them, so that then both are meant.
 */
import { shortId } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { Id } from '../../core/fields.ts';

/** Digits of an id that may stand for it. Fewer would often mean several. */
const DIGITS_MIN = 4;
/** Digits under which an id is shown. */
const DIGITS_SHOWN = 8;
const DIGITS_WHOLE = 64;
/** Digits of an event id that are its time: they alone say nothing. */
const TIME_DIGITS = 12;

/** Whether `ref` is the beginning of the hash in an event's id (under which people see it), or of the whole id. */
export function fits(event_id: Id, ref: string, digits_min = DIGITS_MIN): boolean {
  if (!isDigits(ref) || ref.length < digits_min) return false;
  return event_id.startsWith(ref, TIME_DIGITS) || (ref.length > TIME_DIGITS && event_id.startsWith(ref));
}

export function isDigits(ref: string): boolean {
  return ref.length >= DIGITS_MIN && ref.length <= DIGITS_WHOLE && /^[0-9a-f]+$/.test(ref);
}

/** Rows that `ref` fits, by their name or the beginning of their id. */
export function meantBy<Row>(
  rows: readonly Row[],
  ref: string,
  of: {
    readonly ids: (row: Row) => readonly Id[];
    readonly isNamed: (row: Row) => boolean;
    readonly digits_min?: number;
  },
): Row[] {
  const by_id = rows.filter((row) => of.ids(row).some((id) => fits(id, ref, of.digits_min)));
  if (ref.length === DIGITS_WHOLE && by_id.length > 0) return by_id;
  const named = rows.filter(of.isNamed);
  if (named.length > 0 && ref.length < DIGITS_SHOWN) return named;
  return [...new Set([...named, ...by_id])];
}

/** The one row that is meant. */
export function theOne<Row>(
  found: readonly Row[],
  say: { readonly none: string; readonly several: string; readonly choice: (row: Row) => string },
): Row {
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw new SottoError('not_found', say.none);
  throw new SottoError('ambiguous', `${say.several}: ${found.map(say.choice).join(', ')}.`);
}

/** An id among choices: the short one, unless that is what was typed. */
export function choiceOf(event_id: Id, ref: string): string {
  return fits(event_id, ref, DIGITS_SHOWN) ? event_id : shortId(event_id);
}
