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
    const ranked = acts.map((act) => ({
      act,
      rank: seniority.rank(act),
      basis: seniority.basisOf(act) ?? '',
    }));
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

  /** What is to be judged next on the way to an act: the most senior in a circle before which nothing else comes. */
  next(act: Act): Act {
    const circles = firstCircles([act], (of) => this.#before(of));
    const circle = circles.reduce((a, b) =>
      this.#positionOf(this.#first(a)) < this.#positionOf(this.#first(b)) ? a : b,
    );
    if (circle.length === 1 || circle.length > CIRCLE_MAX) return this.#first(circle);
    const members = new Set(circle);
    const before = (of: Act) =>
      this.#before(of).filter((other) => members.has(other) && !this.#standing.leaves(other, of));
    return this.#first(firstCircles(circle, before).flat());
  }

  #first(acts: readonly Act[]): Act {
    return acts.reduce((a, b) => (this.#positionOf(a) < this.#positionOf(b) ? a : b));
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

  #rests(act: Act): readonly string[] {
    const place = placeOf(act.author);
    const basis = this.#seniority.basisOf(act);
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
 * Of `starts` and all that comes before them: the circles (all that come before each other; one alone is one, too) before which nothing else comes.
 * Tarjan's algorithm on the edges backwards, with a list instead of recursion.
 */
function firstCircles<T>(starts: readonly T[], before: (of: T) => readonly T[]): T[][] {
  interface Place {
    readonly order: number;
    low: number;
    is_open: boolean;
  }
  const found = new Map<T, Place>();
  const open: T[] = [];
  const first: T[][] = [];
  const path: { readonly node: T; readonly place: Place; readonly rest: T[]; is_first: boolean }[] = [];
  const enter = (node: T) => {
    const place = { order: found.size, low: found.size, is_open: true };
    found.set(node, place);
    open.push(node);
    path.push({ node, place, rest: [...before(node)], is_first: true });
  };
  for (const start of starts) {
    if (!found.has(start)) enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = at.rest.pop();
      const seen = next === undefined ? undefined : found.get(next);
      if (next !== undefined) {
        if (seen === undefined) enter(next);
        else if (seen.is_open) at.place.low = Math.min(at.place.low, seen.order);
        else at.is_first = false;
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (at.place.low === at.place.order) {
        const circle = open.splice(open.indexOf(at.node));
        for (const node of circle) (found.get(node) as Place).is_open = false;
        if (at.is_first) first.push(circle);
        if (above !== undefined) above.is_first = false;
      } else if (above !== undefined) {
        above.place.low = Math.min(above.place.low, at.place.low);
        above.is_first &&= at.is_first;
      }
    }
  }
  return first;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
