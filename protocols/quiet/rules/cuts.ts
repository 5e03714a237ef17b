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

  /** A removal takes effect on a device. */
  add(device_id: Id, removal: Removal): void {
    listIn(this.#removals, device_id).push(removal);
    this.#heads.delete(device_id);
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
    // One cannot remove oneself twice, nor save anything by doing so once others have.
    const judged = others.length > 0 ? others : removals.slice(0, 1);
    const values = this.#values(removals, device_id);
    return judged
      .map((removal) => values.get(removal) ?? NOTHING)
      .reduce((best, head) => (isHigher(head, best) ? head : best));
  }

  /** What each removal cuts at: no higher than any other that its author knew, or that one's author, and so on. */
  #values(removals: readonly Removal[], device_id: Id): ReadonlyMap<Removal, Head> {
    const named = (removal: Removal) => this.#facts.heads.get(removal.event_id)?.get(device_id) ?? NOTHING;
    const knew = this.#whoKnew(removals);
    const values = new Map<Removal, Head>();
    // The lowest first: whoever knew of it can do no better.
    const byHead = (a: Removal, b: Removal) =>
      Number(isHigher(named(a), named(b))) - Number(isHigher(named(b), named(a)));
    for (const lowest of removals.toSorted(byHead)) {
      const head = named(lowest);
      const open = [lowest];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        if (values.has(at)) continue;
        values.set(at, head);
        open.push(...(knew.get(at) ?? []));
      }
    }
    return values;
  }

  /** By removal: those whose authors knew it. They named it, or had said it before themselves. */
  #whoKnew(removals: readonly Removal[]): ReadonlyMap<Removal, readonly Removal[]> {
    const by_id = new Map(removals.map((removal) => [removal.event_id, removal]));
    const by_author = new Map<Id, Removal[]>();
    const knew = new Map<Removal, Removal[]>();
    for (const removal of removals) {
      listIn(by_author, removal.author).push(removal);
      for (const id of this.#facts.known.get(removal.event_id) ?? []) {
        const known = by_id.get(id);
        if (known !== undefined) listIn(knew, known).push(removal);
      }
    }
    for (const own of by_author.values()) {
      // Those with the next lower number are enough: their author knew what came before them, too.
      let [lower, level]: [Removal[], Removal[]] = [[], []];
      for (const removal of own.sort((a, b) => a.seq - b.seq)) {
        if (level[0] !== undefined && level[0].seq < removal.seq) [lower, level] = [level, []];
        level.push(removal);
        for (const known of lower) listIn(knew, known).push(removal);
      }
    }
    return knew;
  }
}

/** Whether `a` leaves more standing than `b`; of two at one number the lower id, so that all choose alike. */
export function isHigher(a: Head, b: Head): boolean {
  if (a.seq !== b.seq) return a.seq > b.seq;
  return (a.head ?? 'g') < (b.head ?? 'g');
}
