/**
 * Whose events count: one judgement on all facts together, so that every node that has the same facts comes to the same result, in whatever order
 * they arrived.
 *
 * Removals and revocations take effect one after the other, in the order that `order.ts` says: first those for everybody, then those in each private
 * group. One whose author an earlier one has cut off has no effect; a later one never undoes an earlier one. So two admins who remove each other end
 * alike everywhere, and what the removed say afterwards takes nothing from anybody.
 */
import type { Id } from '../../../core/fields.ts';
import { Cuts, isHigher, NOTHING } from './cuts.ts';
import type { Fact, Facts, Head } from './facts.ts';
import { listIn, mapIn } from './maps.ts';
import { Order, placeOf, rightBy } from './order.ts';
import { type Act, type Removal, type Revocation, Seniority } from './seniority.ts';

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

export function judgeFacts(facts: Facts): Judgement {
  return new Judge(facts).judgement();
}

class Judge {
  readonly #facts: Facts;
  readonly #seniority: Seniority;
  /** By scope: `''` for the network, or a private group. */
  readonly #cuts = new Map<string, Cuts>();
  /** Lost rights: by grant, then by scope, then by device. */
  readonly #lost = new Map<Id, Map<string, Map<Id, Head>>>();
  #admitted: ReadonlySet<Id> = new Set();
  /** Devices by their user, and linked ones by their own declaration, too. */
  readonly #devices_by = new Map<Id, Facts['devices'][number][]>();
  /** Whom an author let in, by which facts. */
  readonly #opened_by = new Map<Id, { readonly fact: Fact; readonly joiner_id: Id }[]>();
  /** Grants that were looked at since the last step. */
  readonly #given = new Map<Id, boolean>();

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#seniority = new Seniority(facts);
    for (const device of facts.devices) {
      const { user_id, peer_id, is_linked } = device;
      for (const joiner_id of is_linked ? [user_id, peer_id] : [user_id])
        listIn(this.#devices_by, joiner_id).push(device);
    }
    for (const fact of facts.admissions)
      listIn(this.#opened_by, fact.author).push({ fact, joiner_id: fact.joiner_id });
    for (const fact of facts.grants)
      listIn(this.#opened_by, fact.author).push({ fact, joiner_id: fact.user_id });
  }

  judgement(): Judgement {
    this.#admitted = this.#admit();
    const scopes = new Map<string, Act[]>([['', []]]);
    for (const act of [...this.#facts.removals, ...this.#facts.revocations])
      listIn(scopes, act.group_id ?? '').push(act);
    for (const acts of scopes.values()) this.#judge(acts);
    return { cuts: this.#allCuts(), rights: this.#allRights() };
  }

  /** All acts of one scope. What had no effect is looked at again, as long as others may have saved it: of two cuts the higher holds. */
  #judge(acts: readonly Act[]): void {
    const order: Order = new Order(acts, (act) => this.#aims(act), this.#seniority, {
      isEntitled: (act) => this.#isEntitled(act, order),
      leaves: (act, other) => this.#leaves(act, other),
    });
    let left = order.acts;
    for (;;) {
      const entitled = left.filter((act) => this.#isEntitled(act, order));
      if (entitled.length === 0) return;
      for (const act of entitled)
        while (!order.isInEffect(act) && this.#isEntitled(act, order)) {
          const next = order.next(act);
          order.tookEffect(next);
          this.#takeEffect(next);
        }
      left = left.filter((act) => !order.isInEffect(act));
    }
  }

  /** What an act takes away. What follows, only from those who have lost it for everybody. */
  #aims(act: Act): string[] {
    if ('grant_id' in act) return [rightBy(act.grant_id)];
    return [...this.#seniority.devicesOf(act.user_id)]
      .filter((device_id) => this.#isAimedAt(act, device_id))
      .map(placeOf);
  }

  #isAimedAt(removal: Removal, device_id: Id): boolean {
    if (!removal.whole_user && this.#facts.heads.get(removal.event_id)?.has(device_id) !== true) return false;
    return removal.because_id === null || this.#cutOf('', device_id) !== undefined;
  }

  // --- what counts, as far as has been judged ---------------------------------------------------------------------------------------------

  #cutOf(scope: string, device_id: Id): Head | undefined {
    return this.#cuts.get(scope)?.of(device_id);
  }

  #isOnChain(fact: Fact, head: Head | undefined): boolean {
    return head !== undefined && head.head !== null && this.#facts.onChain(head.head).has(fact.event_id);
  }

  /** Whether a fact's author had been let in, and no cut lies before it. */
  #counts(fact: Fact, group_id: Id | null, admitted: ReadonlySet<Id> = this.#admitted): boolean {
    if (!admitted.has(fact.author)) return false;
    const cut = this.#cutOf(group_id ?? '', fact.author);
    return cut === undefined || this.#isOnChain(fact, cut);
  }

  /** Devices that are let in by facts that count: the founder's, and from there on. Each fact is looked at once, when its author is in. */
  #admit(): ReadonlySet<Id> {
    const { founder } = this.#seniority;
    const admitted = new Set<Id>();
    const users = new Set<Id | undefined>([founder]);
    const waiting = [this.#facts.founder_device];
    const enter = (joiner_id: Id) => {
      users.add(joiner_id);
      for (const device of this.#devices_by.get(joiner_id) ?? []) {
        const { device_id, user_id, peer_id, is_linked } = device;
        if (users.has(user_id) && (!is_linked || users.has(peer_id))) waiting.push(device_id);
      }
    };
    if (founder !== undefined) enter(founder);
    for (let author = waiting.pop(); author !== undefined; author = waiting.pop()) {
      if (admitted.has(author)) continue;
      admitted.add(author);
      for (const { fact, joiner_id } of this.#opened_by.get(author) ?? [])
        if (this.#counts(fact, null, admitted)) enter(joiner_id);
    }
    return admitted;
  }

  #isEntitled(of: Act, order: Order): boolean {
    if (!this.#counts(of, of.group_id)) return false;
    // What follows is only for what has happened in the network: see where it takes effect.
    if (of.because_id !== null) return true;
    const seniority = this.#seniority;
    const may =
      seniority.isOwn(of) ||
      (of.basis_id !== null
        ? this.#grantHolds(of.basis_id, of, of.group_id)
        : seniority.speaksFor(of.author, seniority.founder) ||
          (!('grant_id' in of) && seniority.isByCreator(of)));
    return may && !this.#isVain(of) && !order.isAnswered(of);
  }

  /** One cannot remove oneself twice. It still tells what others knew. */
  #isVain(act: Act): boolean {
    if (!this.#seniority.isOwn(act) || this.#facts.is_known(act.event_id)) return false;
    return [...this.#seniority.devicesOf(act.user_id)].every(
      (device_id) =>
        !this.#isAimedAt(act, device_id) || this.#cutOf(act.group_id ?? '', device_id) !== undefined,
    );
  }

  /** Whether an act that is about another, or about what that was done by, names heads behind it. */
  #leaves(act: Act, other: Act): boolean {
    const heads = this.#facts.heads.get(act.event_id);
    const is_struck = (fact: Fact & { readonly basis_id: Id | null }) =>
      'grant_id' in act
        ? fact.basis_id === act.grant_id
        : this.#seniority.speaksFor(fact.author, act.user_id) && this.#isAimedAt(act, fact.author);
    let fact: (Fact & { readonly basis_id: Id | null }) | undefined = {
      ...other,
      basis_id: this.#seniority.basisOf(other),
    };
    while (fact !== undefined) {
      if (is_struck(fact) && !this.#isOnChain(fact, heads?.get(fact.author))) return false;
      fact = act.group_id === null ? this.#seniority.grant(fact.basis_id ?? '') : undefined;
    }
    return true;
  }

  /** Whether a grant is in force for what an author did by it. */
  #grantHolds(grant_id: Id, used_in: Fact, group_id: Id | null): boolean {
    const grant = this.#seniority.grant(grant_id);
    if (grant === undefined || !this.#seniority.speaksFor(used_in.author, grant.user_id)) return false;
    const lost = this.#lost.get(grant_id)?.get(group_id ?? '');
    if (lost !== undefined && !this.#isOnChain(used_in, lost.get(used_in.author))) return false;
    return this.#given.get(grant_id) ?? this.#isGiven(grant);
  }

  /** Whether a grant's author could give it. Along the chain of grants with a list instead of recursion: it may be long. */
  #isGiven(grant: Facts['grants'][number]): boolean {
    const chain: Facts['grants'][number][] = [];
    let at: Facts['grants'][number] | undefined = grant;
    while (at !== undefined && !this.#given.has(at.event_id)) {
      chain.push(at);
      at = at.basis_id === null ? undefined : this.#seniority.grant(at.basis_id);
    }
    for (const link of chain.reverse()) {
      const holds =
        this.#counts(link, null) &&
        (link.basis_id === null
          ? this.#seniority.speaksFor(link.author, this.#seniority.founder)
          : this.#grantHolds(link.basis_id, link, null));
      this.#given.set(link.event_id, holds);
    }
    return this.#given.get(grant.event_id) ?? false;
  }

  // --- taking effect ----------------------------------------------------------------------------------------------------------------------

  #takeEffect(act: Act): void {
    if ('grant_id' in act) this.#revoke(act);
    else this.#remove(act);
    // Who is in, and what grants give, is judged for everybody: what happens in a group changes nothing about it.
    if (act.group_id !== null) return;
    this.#given.clear();
    if (!('grant_id' in act)) this.#admitted = this.#admit();
  }

  #remove(removal: Removal): void {
    const scope = removal.group_id ?? '';
    const cuts = this.#cuts.get(scope) ?? new Cuts(this.#facts, this.#seniority);
    this.#cuts.set(scope, cuts);
    for (const device_id of this.#seniority.devicesOf(removal.user_id))
      if (this.#isAimedAt(removal, device_id)) cuts.add(device_id, removal);
  }

  #revoke({ grant_id, group_id, because_id, event_id }: Revocation): void {
    const scopes = mapIn(this.#lost, grant_id);
    const named = this.#facts.heads.get(event_id);
    for (const device_id of this.#seniority.devicesOf(this.#seniority.grant(grant_id)?.user_id ?? '')) {
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
    for (const device_id of this.#seniority.devices) {
      // Whoever was let in only by somebody whose word does not count: nothing of theirs does, until somebody else lets them in.
      const cut = this.#admitted.has(device_id) ? this.#cutOf('', device_id) : NOTHING;
      if (cut !== undefined) cuts.push({ device_id, group_id: null, ...cut });
    }
    for (const [group_id, users] of this.#groups()) {
      const is_founded = users.founded;
      for (const [user_id, counts] of users.members) {
        for (const device_id of this.#seniority.devicesOf(user_id)) {
          const cut = is_founded && counts ? this.#cutOf(group_id, device_id) : NOTHING;
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
