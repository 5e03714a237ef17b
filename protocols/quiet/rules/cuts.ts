/**
 * Where the chains of removed devices end in one audience. A removal names for each device the last event that counts. Of concurrent ones the higher
 * cut holds, so that nobody loses words that somebody had seen; but who knew of another removal cannot raise its cut, or a thief's friend could let
 * the thief's events in afterwards.
 */
import type { Id } from '../../../core/fields.ts';
import type { Facts, Head } from './facts.ts';
import { listIn } from './maps.ts';
import type { Removal, Seniority } from './seniority.ts';

export const NOTHING: Head = { seq: 0, head: null };

export class Cuts {
  readonly #facts: Facts;
  readonly #seniority: Seniority;
  readonly #removals = new Map<Id, Removal[]>();
  /** Those that were asked for since the last removal. */
  readonly #heads = new Map<Id, Head>();

  constructor(facts: Facts, seniority: Seniority) {
    this.#facts = facts;
    this.#seniority = seniority;
  }

  /** A removal takes effect on a device. Returns whether the cut may be another now. */
  add(device_id: Id, removal: Removal): boolean {
    const removals = listIn(this.#removals, device_id);
    // One cannot remove oneself twice, nor save anything by doing so once others have.
    const is_first = removals.length === 0;
    if (!is_first && this.#seniority.isOwn(removal) && !this.#facts.is_known(removal.event_id)) return false;
    removals.push(removal);
    this.#heads.delete(device_id);
    return true;
  }

  /** The last event that counts; undefined while nothing cuts the device. */
  of(device_id: Id): Head | undefined {
    const removals = this.#removals.get(device_id);
    if (removals === undefined) return undefined;
    const known = this.#heads.get(device_id);
    if (known !== undefined) return known;
    const head = this.#highest(removals, device_id);
    this.#heads.set(device_id, head);
    return head;
  }

  #highest(removals: readonly Removal[], device_id: Id): Head {
    const others = removals.filter((removal) => !this.#seniority.isOwn(removal));
    const judged = others.length > 0 ? others : removals.slice(0, 1);
    const known = this.#knownAmong(removals);
    const values = new Map<Removal, Head>();
    for (const removal of judged) this.#value(removal, device_id, known, values);
    return judged
      .map((removal) => values.get(removal) ?? NOTHING)
      .reduce((best, head) => (isHigher(head, best) ? head : best));
  }

  /** What a removal cuts at: no higher than any other that its author knew. With a list instead of recursion, as everybody may add to the chain. */
  #value(
    start: Removal,
    device_id: Id,
    known: (by: Removal) => readonly Removal[],
    values: Map<Removal, Head>,
  ): void {
    const path = values.has(start) ? [] : [start];
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      // Ids are hashes, and numbers grow: nobody knew of something that knew of them.
      if (!values.has(at)) values.set(at, this.#facts.heads.get(at.event_id)?.get(device_id) ?? NOTHING);
      const others = known(at);
      const next = others.find((other) => !values.has(other));
      if (next !== undefined) {
        path.push(next);
        continue;
      }
      const all = [at, ...others].map((each) => values.get(each) ?? NOTHING);
      values.set(
        at,
        all.reduce((lowest, head) => (isHigher(lowest, head) ? head : lowest)),
      );
      path.pop();
    }
  }

  /** Of several removals, those that the author of one knew: what it names, and what they had said before themselves. */
  #knownAmong(removals: readonly Removal[]): (by: Removal) => readonly Removal[] {
    const by_id = new Map(removals.map((removal) => [removal.event_id, removal]));
    const by_author = new Map<Id, Removal[]>();
    for (const removal of removals) listIn(by_author, removal.author).push(removal);
    /** By removal: those of its author with the next lower number. Each of them knew those before. */
    const said_before = new Map<Removal, readonly Removal[]>();
    for (const own of by_author.values()) {
      let [lower, level]: [Removal[], Removal[]] = [[], []];
      for (const removal of own.sort((a, b) => a.seq - b.seq)) {
        if (level[0] !== undefined && level[0].seq < removal.seq) [lower, level] = [level, []];
        level.push(removal);
        said_before.set(removal, lower);
      }
    }
    return (by) => [
      ...(said_before.get(by) ?? []),
      ...[...(this.#facts.known.get(by.event_id) ?? [])].flatMap((id) => by_id.get(id) ?? []),
    ];
  }
}

/** Whether `a` leaves more standing than `b`; of two at one number the lower id, so that all choose alike. */
export function isHigher(a: Head, b: Head): boolean {
  if (a.seq !== b.seq) return a.seq > b.seq;
  return (a.head ?? 'g') < (b.head ?? 'g');
}
