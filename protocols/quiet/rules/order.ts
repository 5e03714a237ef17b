/**
 * In which order removals and revocations ("acts") of one audience are judged: the most senior first, but before any of them those that are about it,
 * or what the removed do afterwards would count because they are senior, or for their good luck with ids. Where such go round in a circle, as when
 * two remove each other, one of them has to be first: the most senior of those that do not say themselves that they knew of the others.
 */
import type { Id } from '../../../core/fields.ts';
import { listIn } from './maps.ts';
import type { Act, Seniority } from './seniority.ts';

/** Acts in a circle that are asked for what they knew: each answer walks along a chain. More of them only the hostile write. */
const CIRCLE_MAX = 256;

interface Standing {
  /** Whether an act would take effect, as far as has been judged. */
  readonly isEntitled: (act: Act) => boolean;
  /** Whether an act that is about another leaves it standing: then its author knew of it. */
  readonly leaves: (act: Act, other: Act) => boolean;
}

/** What an act takes away: a device's place, or a grant. */
export const placeOf = (device_id: Id): string => `place ${device_id}`;
export const rightBy = (grant_id: Id): string => `right ${grant_id}`;

export class Order {
  /** The most senior first. */
  readonly acts: readonly Act[];
  readonly #seniority: Seniority;
  readonly #standing: Standing;
  readonly #position: ReadonlyMap<Act, number>;
  readonly #aims = new Map<Act, readonly string[]>();
  readonly #about = new Map<string, Act[]>();
  readonly #in_effect = new Set<Act>();
  readonly #in_effect_about = new Map<string, Act[]>();
  /** By grant: of what it rests on, that which acts are about. */
  readonly #roots = new Map<Id, readonly string[]>();

  /** `acts`: all of one audience. `aims`: what one of them takes away. */
  constructor(
    acts: readonly Act[],
    aims: (act: Act) => readonly string[],
    seniority: Seniority,
    standing: Standing,
  ) {
    this.#seniority = seniority;
    this.#standing = standing;
    const ranked = acts.map((act) => ({ act, rank: seniority.rank(act), basis: this.#basis(act) ?? '' }));
    ranked.sort(
      (a, b) => a.rank - b.rank || compare(a.basis, b.basis) || compare(a.act.event_id, b.act.event_id),
    );
    this.acts = ranked.map(({ act }) => act);
    this.#position = new Map(this.acts.map((act, position) => [act, position]));
    for (const act of this.acts) {
      this.#aims.set(act, aims(act));
      for (const aim of this.#aims.get(act) ?? []) listIn(this.#about, aim).push(act);
    }
  }

  tookEffect(act: Act): void {
    this.#in_effect.add(act);
    for (const aim of this.#aims.get(act) ?? []) listIn(this.#in_effect_about, aim).push(act);
  }

  isInEffect(act: Act): boolean {
    return this.#in_effect.has(act);
  }

  /** What is to be judged next on the way to an act: one that nothing unjudged is about, if it is not the first of a circle. */
  next(act: Act): Act {
    const [first, ...others] = firstCircle(act, (of) => this.#before(of));
    if (first === undefined || others.length === 0) return first ?? act;
    const circle = new Set([first, ...others]);
    const known = (of: Act) =>
      this.#before(of).filter((other) => circle.has(other) && !this.#standing.leaves(other, of));
    const claimed = circle.size > CIRCLE_MAX ? circle : firstCircle(first, known);
    return [...claimed].reduce((a, b) => (this.#positionOf(a) < this.#positionOf(b) ? a : b));
  }

  /** Whether somebody senior, whom an act is about, has said the same of its author: even one who knew of it then. */
  isAnswered(act: Act): boolean {
    const rank = this.#seniority.rank(act);
    const isAbout = (other: Act) => this.#rests(other).some((root) => this.#aims.get(act)?.includes(root));
    return this.#rests(act).some((root) =>
      this.#in_effect_about
        .get(root)
        ?.some((other) => other.because_id === null && this.#seniority.rank(other) < rank && isAbout(other)),
    );
  }

  /**
   * Acts that are about what this one rests on (its author's place, and the grants that it was done by) and are judged before it. Of one author, in each
   * matter, one is enough: the others were known to that author.
   */
  #before(act: Act): Act[] {
    return this.#rests(act).flatMap((root) => {
      const authors = new Set<Id>();
      return (this.#about.get(root) ?? []).filter((other) => {
        if (other === act || authors.has(other.author) || this.isInEffect(other)) return false;
        if (!this.#precedes(other, act) || !this.#standing.isEntitled(other)) return false;
        authors.add(other.author);
        return true;
      });
    });
  }

  /** Whether an act that is about another is judged before it: juniors do not take anything back from seniors. */
  #precedes(act: Act, other: Act): boolean {
    if (act.because_id !== null || other.because_id !== null) return true;
    // What somebody does to their own devices is not a question of rights.
    if (this.#seniority.isOwn(act) && !this.#seniority.isOwn(other)) return true;
    return this.#seniority.rank(act) <= this.#seniority.rank(other);
  }

  /** The grant by which an act was done, where it needs one. */
  #basis(act: Act): Id | null {
    return act.because_id !== null || this.#seniority.isOwn(act) ? null : act.basis_id;
  }

  #rests(act: Act): readonly string[] {
    const place = placeOf(act.author);
    const basis = this.#basis(act);
    if (basis === null) return [place];
    // In a private group only the right itself is taken away: who gave it is judged for everybody.
    if (act.group_id !== null) return [place, rightBy(basis)];
    return [place, ...this.#rootsOf(basis)];
  }

  /** Along the chain of grants with a list instead of recursion: it may be long. */
  #rootsOf(grant_id: Id): readonly string[] {
    const chain: Id[] = [];
    let at: Id | null | undefined = grant_id;
    for (; at != null && !this.#roots.has(at); at = this.#seniority.grant(at)?.basis_id) chain.push(at);
    let roots = this.#roots.get(at ?? '') ?? [];
    for (const link of chain.reverse()) {
      const author = this.#seniority.grant(link)?.author;
      const own = [rightBy(link), ...(author === undefined ? [] : [placeOf(author)])];
      const new_ones = own.filter((root) => this.#about.has(root) && !roots.includes(root));
      if (new_ones.length > 0) roots = [...new_ones, ...roots];
      this.#roots.set(link, roots);
    }
    return roots;
  }

  #positionOf(act: Act): number {
    return this.#position.get(act) ?? 0;
  }
}

/**
 * Of all that leads to `start`, by what comes before what: a circle (all that lead to each other) to which nothing else leads; one alone is a circle,
 * too. Tarjan's algorithm on the edges backwards, up to the first component that is complete; with a list instead of recursion.
 */
function firstCircle<T>(start: T, before: (of: T) => readonly T[]): T[] {
  const found = new Map<T, { order: number; low: number }>();
  const open: T[] = [];
  const path: { readonly node: T; readonly rest: T[]; readonly seen: { order: number; low: number } }[] = [];
  const enter = (node: T) => {
    const seen = { order: found.size, low: found.size };
    found.set(node, seen);
    open.push(node);
    path.push({ node, rest: [...before(node)].reverse(), seen });
  };
  enter(start);
  for (;;) {
    const at = path.at(-1);
    if (at === undefined) return [start];
    const next = at.rest.pop();
    if (next !== undefined) {
      const seen = found.get(next);
      // Nothing is complete yet, so that all that was found is still open.
      if (seen === undefined) enter(next);
      else at.seen.low = Math.min(at.seen.low, seen.order);
      continue;
    }
    if (at.seen.low === at.seen.order) return open.slice(open.indexOf(at.node));
    path.pop();
    const above = path.at(-1);
    if (above !== undefined) above.seen.low = Math.min(above.seen.low, at.seen.low);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
