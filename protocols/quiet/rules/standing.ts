/**
 * Whose events count: one judgement on all facts together, so that every node that has the same facts comes to the same result, in whatever order
 * they arrived.
 *
 * Removals and revocations take effect one after the other, the most senior first: by their distance from the founder (how many grants lie
 * between), then by the grant they rest on. One whose author an earlier one has cut off has no effect; a later one never undoes an earlier one. So
 * two admins who remove each other end alike everywhere.
 *
 * A removal names for each device the last event that counts. Of concurrent ones the higher cut holds, so that nobody loses words that somebody
 * had seen; but who knew of another removal cannot raise its cut, or a thief's friend could let the thief's events in afterwards.
 */
import type { Id } from '../../../core/fields.ts';
import type { Fact, Facts, Head } from './facts.ts';
import { listIn, mapIn, setIn } from './maps.ts';

export interface Judgement {
  /** Devices that are cut off: in the network (`group_id` null) or in one private group. */
  readonly cuts: readonly ({ readonly device_id: Id; readonly group_id: Id | null } & Head)[];
  /** Grants that give nothing (`device_id` null), or nothing to a device after a head of one of its chains. */
  readonly rights: readonly ({
    readonly grant_id: Id;
    readonly device_id: Id | null;
    readonly group_id: Id | null;
  } & Head)[];
}

/** Ranks that rest on no grant: a group's founder in it; oneself; and what merely follows in a group from what was judged before. */
const CREATOR_OF_GROUP = 1_000;
const ONESELF = 2_000;
const FOLLOWS = 3_000;

const NOTHING: Head = { seq: 0, head: null };

type Removal = Facts['removals'][number];
type Revocation = Facts['revocations'][number];
type Step = { readonly rank: number; readonly basis: Id; readonly of: Removal | Revocation };

export function judgeFacts(facts: Facts): Judgement {
  return new Judge(facts).judgement();
}

class Judge {
  readonly #facts: Facts;
  readonly #founder: Id | undefined;
  readonly #devices_of = new Map<Id, Set<Id>>();
  readonly #users_of = new Map<Id, Set<Id>>();
  readonly #grants: ReadonlyMap<Id, Facts['grants'][number]>;
  /** Removals in force, by scope (`''`: the network), then by device. */
  readonly #in_force = new Map<string, Map<Id, Removal[]>>();
  readonly #cuts = new Map<string, Map<Id, Head>>();
  /** Lost rights: by grant, then by scope, then by device. */
  readonly #lost = new Map<Id, Map<string, Map<Id, Head>>>();
  #admitted: ReadonlySet<Id> = new Set();
  /** Devices by their user, and linked ones by their own declaration, too. */
  readonly #devices_by = new Map<Id, Facts['devices'][number][]>();
  /** Whom an author let in, by which facts. */
  readonly #opened_by = new Map<Id, { readonly fact: Fact; readonly joiner_id: Id }[]>();
  readonly #distances = new Map<Id, number>();
  /** Grants that were looked at since the last step. */
  readonly #given = new Map<Id, boolean>();

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#grants = new Map(facts.grants.map((grant) => [grant.event_id, grant]));
    for (const device of facts.devices) {
      const { device_id, user_id, peer_id, is_linked } = device;
      setIn(this.#devices_of, user_id).add(device_id);
      setIn(this.#users_of, device_id).add(user_id);
      for (const joiner_id of is_linked ? [user_id, peer_id] : [user_id])
        listIn(this.#devices_by, joiner_id).push(device);
    }
    for (const fact of facts.admissions)
      listIn(this.#opened_by, fact.author).push({ fact, joiner_id: fact.joiner_id });
    for (const fact of facts.grants)
      listIn(this.#opened_by, fact.author).push({ fact, joiner_id: fact.user_id });
    this.#founder = facts.devices.find(
      (device) => device.device_id === facts.founder_device && !device.is_linked,
    )?.user_id;
  }

  judgement(): Judgement {
    this.#admitted = this.#admit();
    for (const { of } of this.#steps()) {
      if (!this.#isEntitled(of)) continue;
      if ('grant_id' in of) this.#revoke(of);
      else this.#remove(of);
      this.#admitted = this.#admit();
      this.#given.clear();
    }
    return { cuts: this.#allCuts(), rights: this.#allRights() };
  }

  /** Removals and revocations, the most senior first. */
  #steps(): Step[] {
    const { removals, revocations } = this.#facts;
    const steps = [...removals, ...revocations].map((of) => {
      const rank = this.#rank(of);
      return { rank, basis: rank < ONESELF ? (of.basis_id ?? '') : '', of };
    });
    return steps.sort(
      (a, b) => a.rank - b.rank || compare(a.basis, b.basis) || compare(a.of.event_id, b.of.event_id),
    );
  }

  #rank(of: Removal | Revocation): number {
    if (of.because_id !== null) return FOLLOWS;
    // Whatever rights one has: among one's own devices they do not count, or a thief of one would remove the rest.
    if (this.#isOwn(of)) return ONESELF + this.#ownRank(of.author);
    if (of.basis_id !== null) return this.#distance(of.basis_id);
    if (this.#speaksFor(of.author, this.#founder)) return 0;
    return CREATOR_OF_GROUP;
  }

  /** Leaving, or removing a device of one's own. */
  #isOwn(of: Removal | Revocation): of is Removal {
    return !('grant_id' in of) && this.#speaksFor(of.author, of.user_id);
  }

  /** Grants between a grant and the founder. Ids are hashes, so that there are no circles. */
  #distance(grant_id: Id): number {
    const chain: Id[] = [];
    let at: Id | null | undefined = grant_id;
    for (; at != null && !this.#distances.has(at); at = this.#grants.get(at)?.basis_id) chain.push(at);
    let distance = at == null ? 0 : (this.#distances.get(at) ?? 0);
    for (const link of chain.reverse()) this.#distances.set(link, ++distance);
    return distance;
  }

  /** Among one's own devices the first is senior to those that were linked later, or a thief of one would remove the others. */
  #ownRank(device_id: Id): number {
    return this.#facts.devices.some((device) => device.device_id === device_id && !device.is_linked) ? 0 : 1;
  }

  #speaksFor(device_id: Id, user_id: Id | undefined): boolean {
    return user_id !== undefined && this.#users_of.get(device_id)?.has(user_id) === true;
  }

  #isCreator({ author, group_id }: Removal): boolean {
    if (group_id === null) return false;
    return this.#facts.group_members.some(
      (member) => member.group_id === group_id && this.#speaksFor(author, member.creator_id),
    );
  }

  // --- what counts, as far as has been judged ---------------------------------------------------------------------------------------------

  /** Whether a fact's author had been let in, and no cut lies before it. */
  #counts(fact: Fact, group_id: Id | null, admitted: ReadonlySet<Id> = this.#admitted): boolean {
    if (!admitted.has(fact.author)) return false;
    const cut = this.#cuts.get(group_id ?? '')?.get(fact.author);
    if (cut === undefined) return true;
    return cut.head !== null && this.#facts.onChain(cut.head).has(fact.event_id);
  }

  /** Devices that are let in by facts that count: the founder's, and from there on. Each fact is looked at once, when its author is in. */
  #admit(): ReadonlySet<Id> {
    const admitted = new Set<Id>();
    const users = new Set<Id | undefined>([this.#founder]);
    const waiting = [this.#facts.founder_device];
    const enter = (joiner_id: Id) => {
      users.add(joiner_id);
      for (const device of this.#devices_by.get(joiner_id) ?? []) {
        const { device_id, user_id, peer_id, is_linked } = device;
        if (users.has(user_id) && (!is_linked || users.has(peer_id))) waiting.push(device_id);
      }
    };
    if (this.#founder !== undefined) enter(this.#founder);
    for (let author = waiting.pop(); author !== undefined; author = waiting.pop()) {
      if (admitted.has(author)) continue;
      admitted.add(author);
      for (const { fact, joiner_id } of this.#opened_by.get(author) ?? [])
        if (this.#counts(fact, null, admitted)) enter(joiner_id);
    }
    return admitted;
  }

  #isEntitled(of: Removal | Revocation): boolean {
    if (!this.#counts(of, of.group_id)) return false;
    // What follows is only for what has happened in the network: see where it takes effect.
    if (of.because_id !== null || this.#isOwn(of)) return true;
    if (of.basis_id !== null) return this.#grantHolds(of.basis_id, of, of.group_id);
    if (this.#speaksFor(of.author, this.#founder)) return true;
    return !('grant_id' in of) && this.#isCreator(of);
  }

  /** Whether a grant is in force for what an author did by it. */
  #grantHolds(grant_id: Id, used_in: Fact, group_id: Id | null): boolean {
    const grant = this.#grants.get(grant_id);
    if (grant === undefined || !this.#speaksFor(used_in.author, grant.user_id)) return false;
    const lost = this.#lost.get(grant_id)?.get(group_id ?? '');
    if (lost !== undefined) {
      const head = lost.get(used_in.author)?.head ?? null;
      if (head === null || !this.#facts.onChain(head).has(used_in.event_id)) return false;
    }
    return this.#given.get(grant_id) ?? this.#isGiven(grant);
  }

  /** Whether a grant's author could give it. Along the chain of grants with a list instead of recursion: it may be long. */
  #isGiven(grant: Facts['grants'][number]): boolean {
    const chain: Facts['grants'][number][] = [];
    let at: Facts['grants'][number] | undefined = grant;
    while (at !== undefined && !this.#given.has(at.event_id)) {
      chain.push(at);
      at = at.basis_id === null ? undefined : this.#grants.get(at.basis_id);
    }
    for (const link of chain.reverse()) {
      const holds =
        this.#counts(link, null) &&
        (link.basis_id === null
          ? this.#speaksFor(link.author, this.#founder)
          : this.#grantHolds(link.basis_id, link, null));
      this.#given.set(link.event_id, holds);
    }
    return this.#given.get(grant.event_id) ?? false;
  }

  // --- taking effect ----------------------------------------------------------------------------------------------------------------------

  #remove(removal: Removal): void {
    const scope = removal.group_id ?? '';
    const by_device = mapIn(this.#in_force, scope);
    const cuts = mapIn(this.#cuts, scope);
    const named = this.#facts.heads.get(removal.event_id);
    for (const device_id of this.#devices_of.get(removal.user_id) ?? []) {
      if (!removal.whole_user && named?.has(device_id) !== true) continue;
      if (removal.because_id !== null && this.#cuts.get('')?.has(device_id) !== true) continue;
      const list = by_device.get(device_id) ?? [];
      by_device.set(device_id, list);
      // One cannot remove oneself twice, nor save anything by doing so once others have.
      if (this.#isOwn(removal) && list.length > 0) continue;
      list.push(removal);
      cuts.set(device_id, this.#highest(list, device_id));
    }
  }

  /** The cut that several removals of one device lead to: the highest, but none that its author knew to be too high. */
  #highest(removals: readonly Removal[], device_id: Id): Head {
    const others = removals.filter((removal) => !this.#isOwn(removal));
    const judged = others.length > 0 ? others : removals;
    const values = new Map<Removal, Head>();
    /** What a removal cuts at: no higher than any other that its author knew. */
    const cutBy = (removal: Removal): Head => {
      const known = values.get(removal);
      if (known !== undefined) return known;
      let lowest = this.#facts.heads.get(removal.event_id)?.get(device_id) ?? NOTHING;
      // Ids are hashes, and numbers grow: nobody knew of something that knew of them.
      values.set(removal, lowest);
      for (const other of judged) {
        if (other === removal || !this.#knew(removal, other)) continue;
        const head = cutBy(other);
        if (isHigher(lowest, head)) lowest = head;
      }
      values.set(removal, lowest);
      return lowest;
    };
    return judged.map(cutBy).reduce((best, head) => (isHigher(head, best) ? head : best), NOTHING);
  }

  #knew(removal: Removal, other: Removal): boolean {
    if (this.#facts.known.get(removal.event_id)?.has(other.event_id) === true) return true;
    return removal.author === other.author && removal.seq > other.seq;
  }

  #revoke(revocation: Revocation): void {
    const { grant_id, group_id, because_id, event_id } = revocation;
    const scopes = mapIn(this.#lost, grant_id);
    const named = this.#facts.heads.get(event_id);
    for (const device_id of this.#devices_of.get(this.#grants.get(grant_id)?.user_id ?? '') ?? []) {
      if (because_id !== null && scopes.get('')?.has(device_id) !== true) continue;
      const lost = mapIn(scopes, group_id ?? '');
      const head = named?.get(device_id) ?? NOTHING;
      const before = lost.get(device_id);
      if (before === undefined || isHigher(head, before)) lost.set(device_id, head);
    }
  }

  // --- the result -------------------------------------------------------------------------------------------------------------------------

  #allCuts(): Judgement['cuts'] {
    const cuts: Judgement['cuts'][number][] = [];
    for (const device_id of this.#users_of.keys()) {
      // Whoever was let in only by somebody whose word does not count: nothing of theirs does, until somebody else lets them in.
      const cut = this.#admitted.has(device_id) ? this.#cuts.get('')?.get(device_id) : NOTHING;
      if (cut !== undefined) cuts.push({ device_id, group_id: null, ...cut });
    }
    for (const [group_id, users] of this.#groups()) {
      const is_founded = users.founded;
      for (const [user_id, counts] of users.members) {
        for (const device_id of this.#devices_of.get(user_id) ?? []) {
          const cut = is_founded && counts ? this.#cuts.get(group_id)?.get(device_id) : NOTHING;
          if (cut !== undefined) cuts.push({ device_id, group_id, ...cut });
        }
      }
    }
    return cuts;
  }

  /** Per private group: whether its founding counts, and for everybody ever put in, whether anybody whose word counts did so. */
  #groups(): Map<Id, { founded: boolean; members: Map<Id, boolean> }> {
    const groups = new Map<Id, { founded: boolean; members: Map<Id, boolean> }>();
    for (const fact of this.#facts.group_members) {
      const group = groups.get(fact.group_id) ?? { founded: false, members: new Map<Id, boolean>() };
      groups.set(fact.group_id, group);
      const counts = this.#counts(fact, fact.group_id);
      if (fact.event_id === fact.group_id && counts) group.founded = true;
      group.members.set(fact.user_id, group.members.get(fact.user_id) === true || counts);
    }
    return groups;
  }

  #allRights(): Judgement['rights'] {
    return this.#facts.grants.flatMap((grant): Judgement['rights'] => {
      const grant_id = grant.event_id;
      if (!this.#isGiven(grant)) return [{ grant_id, device_id: null, group_id: null, ...NOTHING }];
      return [...(this.#lost.get(grant_id) ?? [])].flatMap(([scope, lost]) =>
        [...lost].map(([device_id, head]) => ({
          grant_id,
          device_id,
          group_id: scope === '' ? null : scope,
          ...head,
        })),
      );
    });
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether `a` leaves more standing than `b`; of two at one number the lower id, so that all choose alike. */
function isHigher(a: Head, b: Head): boolean {
  return a.seq > b.seq || (a.seq === b.seq && compare(a.head ?? 'g', b.head ?? 'g') < 0);
}
