/**
 * Who belongs, once more: the judgement as docs/protocol.md tells it ("The judgement"), without a line of ours, in the plainest way and however long it
 * takes. Ids are any texts that compare as the bytes do.
 */

export interface Head {
  readonly seq: number;
  /** null: not even the first event. */
  readonly head: string | null;
}
interface Fact {
  readonly id: string;
  readonly author: string;
}
interface ActFields extends Fact {
  readonly seq: number;
  /** null: everybody in the network. */
  readonly group: string | null;
  /** By device. */
  readonly heads: Readonly<Record<string, Head>>;
  readonly basis: string | null;
  readonly because: string | null;
}
export interface RemovalFact extends ActFields {
  readonly user: string;
  readonly whole_user: boolean;
  readonly known: readonly string[];
}
export interface RevocationFact extends ActFields {
  readonly grant: string;
}
export interface GrantFact extends Fact {
  readonly user: string;
  readonly right: string;
  readonly basis: string | null;
}
export interface JudgedFacts {
  readonly founder_device: string;
  readonly devices: readonly {
    readonly peer: string;
    readonly device: string;
    readonly user: string;
    readonly linked: boolean;
  }[];
  readonly admissions: readonly (Fact & { readonly joiner: string })[];
  readonly grants: readonly GrantFact[];
  readonly removals: readonly RemovalFact[];
  readonly revocations: readonly RevocationFact[];
  readonly group_members: readonly (Fact & {
    readonly group: string;
    readonly user: string;
    readonly creator: string;
  })[];
  /** By event: the one before it in its chain. */
  readonly links: Readonly<Record<string, string | null>>;
}
export interface Result {
  readonly cuts: readonly ({ readonly device: string; readonly group: string | null } & Head)[];
  /** device null: the grant gives nothing. */
  readonly rights: readonly ({
    readonly grant: string;
    readonly device: string | null;
    readonly group: string | null;
  } & Head)[];
}

type Act = RemovalFact | RevocationFact;
const NOTHING: Head = { seq: 0, head: null };
const isRemoval = (act: Act): act is RemovalFact => 'user' in act;
const isHigher = (a: Head, b: Head) =>
  a.seq > b.seq || (a.seq === b.seq && a.head !== null && (b.head === null || a.head < b.head));

export function judge(facts: JudgedFacts): Result {
  const { devices, grants, removals, revocations, links } = facts;
  const grantOf = (id: string | null) => grants.find((grant) => grant.id === id);
  const devicesOf = (user: string | undefined) =>
    devices.filter((one) => one.user === user).map(({ device }) => device);
  const speaksFor = (device: string, user: string | undefined) => devicesOf(user).includes(device);
  const founder = devices.find((one) => one.device === facts.founder_device && !one.linked)?.user;

  function isOn(id: string, head: string | null | undefined): boolean {
    for (let at = head ?? null; at !== null; at = links[at] ?? null) if (at === id) return true;
    return false;
  }

  // What has taken effect so far, in this order.
  const in_effect: Act[] = [];

  function cutOf(device: string, group: string | null): Head | undefined {
    const of = in_effect.filter(
      (act): act is RemovalFact => isRemoval(act) && act.group === group && removes(act, device),
    );
    const others = of.filter((act) => !isOwn(act));
    const own = of.filter(isOwn);
    const counted = others.length > 0 ? others : own.slice(0, 1);
    const value = (act: RemovalFact): Head => {
      const known = new Set([act]);
      for (const at of known)
        for (const other of of)
          if (at.known.includes(other.id) || (other.author === at.author && other.seq < at.seq))
            known.add(other);
      return [...known].map((one) => one.heads[device] ?? NOTHING).reduce((a, b) => (isHigher(a, b) ? b : a));
    };
    return counted
      .map((act) => value(act))
      .reduce<Head | undefined>(
        (best, head) => (best === undefined || isHigher(head, best) ? head : best),
        undefined,
      );
  }

  function removes(act: RemovalFact, device: string): boolean {
    if (!speaksFor(device, act.user) || !(act.whole_user || device in act.heads)) return false;
    return act.because === null || cutOf(device, null) !== undefined;
  }

  function lostAt(grant: string, device: string, group: string | null): Head | undefined {
    const of = in_effect.filter((act): act is RevocationFact => !isRemoval(act) && act.group === group);
    return of
      .filter((act) => act.grant === grant && speaksFor(device, grantOf(grant)?.user))
      .filter((act) => act.because === null || lostAt(grant, device, null) !== undefined)
      .map((act) => act.heads[device] ?? NOTHING)
      .reduce<Head | undefined>(
        (best, head) => (best === undefined || isHigher(head, best) ? head : best),
        undefined,
      );
  }

  // 1. Admitted.
  function admitted(): Set<string> {
    const inside = new Set([facts.founder_device]);
    for (;;) {
      const opened = [
        ...facts.admissions,
        ...grants.map(({ id, author, user }) => ({ id, author, joiner: user })),
      ]
        .filter((fact) => countsAmong(fact, null, inside))
        .map(({ joiner }) => joiner);
      const isIn = (user: string) => user === founder || opened.includes(user);
      const entering = devices.filter(
        ({ device, user, linked, peer }) =>
          !inside.has(device) && isIn(user) && (!linked || opened.includes(peer)),
      );
      if (entering.length === 0) return inside;
      for (const { device } of entering) inside.add(device);
    }
  }
  function countsAmong({ id, author }: Fact, group: string | null, inside: ReadonlySet<string>): boolean {
    if (!inside.has(author)) return false;
    const cut = cutOf(author, group);
    return cut === undefined || isOn(id, cut.head);
  }
  const counts = (fact: Fact, group: string | null) => countsAmong(fact, group, admitted());

  // 2. Ranks.
  const isOwn = (act: Act): act is RemovalFact =>
    isRemoval(act) && act.because === null && speaksFor(act.author, act.user);
  const distance = (grant: string | null): number =>
    grant === null ? 0 : 1 + distance(grantOf(grant)?.basis ?? null);
  const foundedBy = (group: string | null, user: string) =>
    facts.group_members.some((one) => one.group === group && one.creator === user);
  function rank(act: Act): number {
    if (act.because !== null) return -1;
    if (isOwn(act)) {
      const nearest = grants
        .filter((grant) => grant.user === act.user && grant.right === 'admin')
        .map(({ id }) => distance(id));
      const is_first = devices.some((one) => one.device === act.author && !one.linked);
      const own =
        act.user === founder
          ? 0
          : nearest.length > 0
            ? Math.min(...nearest)
            : foundedBy(act.group, act.user)
              ? 1_000
              : 2_000;
      return own + (is_first ? 0 : 0.5);
    }
    if (act.basis !== null) return distance(act.basis);
    return speaksFor(act.author, founder) ? 0 : 1_000;
  }
  const basisOf = (act: Act) => (isOwn(act) || act.because !== null ? null : act.basis);
  const sortKey = (act: Act) => [rank(act), basisOf(act) ?? '', act.id] as const;
  function byRank(a: Act, b: Act): number {
    const [one, other] = [sortKey(a), sortKey(b)];
    const at = one.findIndex((part, place) => part !== other[place]);
    return at < 0 ? 0 : one[at]! < other[at]! ? -1 : 1;
  }

  /** The grants that an act was done by: for everybody all of them, in a group the one it names. */
  function grantsBehind(act: Act): GrantFact[] {
    const found: GrantFact[] = [];
    for (let at = grantOf(basisOf(act)); at !== undefined; at = grantOf(at.basis)) found.push(at);
    return found;
  }
  /** What of another act (itself, or grants behind it) this one is about. */
  function strikes(act: Act, other: Act): Fact[] {
    const behind = grantsBehind(other);
    const uses = [other, ...behind].map((fact, at) => ({ fact, by: behind[at] }));
    const reached = act.group === null ? uses : uses.slice(0, 1);
    return reached
      .filter(({ fact, by }) => (isRemoval(act) ? removes(act, fact.author) : by?.id === act.grant))
      .map(({ fact }) => fact);
  }
  const isAbout = (act: Act, other: Act) =>
    act !== other && act.group === other.group && strikes(act, other).length > 0;
  function precedes(act: Act, other: Act): boolean {
    if (act.because !== null || other.because !== null) return true;
    if (isOwn(act) && !isOwn(other)) return true;
    return rank(act) <= rank(other);
  }

  // 3. Entitled.
  function holds(grant: GrantFact | undefined, use: Fact, group: string | null): boolean {
    if (grant === undefined || !speaksFor(use.author, grant.user)) return false;
    const lost = lostAt(grant.id, use.author, group);
    if (lost !== undefined && !isOn(use.id, lost.head)) return false;
    return isGiven(grant);
  }
  function isGiven(grant: GrantFact): boolean {
    if (!counts(grant, null)) return false;
    return grant.basis === null ? speaksFor(grant.author, founder) : holds(grantOf(grant.basis), grant, null);
  }
  function wouldTakeEffect(act: Act): boolean {
    if (in_effect.includes(act) || !counts(act, act.group)) return false;
    if (act.because !== null) return true;
    if (isOwn(act)) {
      const open = devicesOf(act.user).some(
        (device) => removes(act, device) && cutOf(device, act.group) === undefined,
      );
      if (!open && !removals.some((other) => other.known.includes(act.id))) return false;
    } else if (act.basis !== null) {
      if (!holds(grantOf(act.basis), act, act.group)) return false;
    } else if (!speaksFor(act.author, founder)) {
      const creators = facts.group_members.filter((one) => one.group === act.group);
      if (!isRemoval(act) || !creators.some(({ creator }) => speaksFor(act.author, creator))) return false;
    }
    return !in_effect.some(
      (answer) =>
        answer.because === null && rank(answer) < rank(act) && isAbout(answer, act) && isAbout(act, answer),
    );
  }

  /** Acts that come before one: of each author, for each thing that the act rests on, the first. */
  function before(act: Act, acts: readonly Act[]): Act[] {
    const coming = acts.filter(
      (other) => isAbout(other, act) && precedes(other, act) && wouldTakeEffect(other),
    );
    const matters = [act, ...(act.group === null ? grantsBehind(act) : [])].map(
      (fact) => `place ${fact.author}`,
    );
    const basis = act.group === null ? grantsBehind(act) : grantsBehind(act).slice(0, 1);
    matters.push(...basis.map(({ id }) => `right ${id}`));
    const firsts = matters.flatMap((matter) =>
      coming
        .filter((other) =>
          isRemoval(other)
            ? devicesOf(other.user).some((device) => `place ${device}` === matter && removes(other, device))
            : `right ${other.grant}` === matter,
        )
        .filter((other, at, all) => all.findIndex(({ author }) => author === other.author) === at),
    );
    return [...new Set(firsts)];
  }
  /** The circles among `nodes` (with what comes before them) before which nothing else comes. */
  function firstCircles(nodes: readonly Act[], edges: (of: Act) => readonly Act[]): Act[][] {
    const reach = new Map<Act, Set<Act>>();
    const from = (node: Act): Set<Act> => {
      const known = reach.get(node);
      if (known !== undefined) return known;
      const found = new Set([node]);
      for (const at of found) for (const next of edges(at)) found.add(next);
      reach.set(node, found);
      return found;
    };
    const all = new Set(nodes.flatMap((node) => [...from(node)]));
    const circles = [...all].map((node) => [...from(node)].filter((other) => from(other).has(node)));
    return circles.filter((circle) =>
      circle.every((node) => [...from(node)].every((one) => circle.includes(one))),
    );
  }
  const first = (acts: readonly Act[]) => [...acts].sort(byRank)[0]!;
  function next(act: Act, acts: readonly Act[]): Act {
    const edges = new Map<Act, readonly Act[]>();
    const edgesOf = (of: Act) => {
      const known = edges.get(of) ?? before(of, acts);
      edges.set(of, known);
      return known;
    };
    const leading = first(firstCircles([act], edgesOf).flat());
    const circle = firstCircles([act], edgesOf).find((one) => one.includes(leading))!;
    if (circle.length === 1 || circle.length > 256) return leading;
    const leaves = (one: Act, other: Act) =>
      strikes(one, other).every((fact) => isOn(fact.id, one.heads[fact.author]?.head));
    const knowing = (of: Act) => edgesOf(of).filter((other) => circle.includes(other) && !leaves(other, of));
    return first(firstCircles(circle, knowing).flat());
  }

  const groups = [null, ...new Set(facts.group_members.map(({ group }) => group))];
  for (const group of groups) {
    const acts: Act[] = [...removals, ...revocations].filter((act) => act.group === group).sort(byRank);
    for (;;) {
      const entitled = acts.filter(wouldTakeEffect);
      if (entitled.length === 0) break;
      for (const act of entitled) while (wouldTakeEffect(act)) in_effect.push(next(act, acts));
    }
  }

  // 6. The result.
  const inside = admitted();
  const cuts: Result['cuts'][number][] = [];
  for (const device of new Set(devices.map((one) => one.device))) {
    const cut = inside.has(device) ? cutOf(device, null) : NOTHING;
    if (cut !== undefined) cuts.push({ device, group: null, ...cut });
  }
  for (const group of groups.slice(1)) {
    const of = facts.group_members.filter((one) => one.group === group);
    const is_founded = of.some((one) => one.id === group && counts(one, group));
    for (const user of new Set(of.map((one) => one.user))) {
      const is_in = is_founded && of.some((one) => one.user === user && counts(one, group));
      for (const device of devicesOf(user)) {
        const cut = is_in ? cutOf(device, group) : NOTHING;
        if (cut !== undefined) cuts.push({ device, group, ...cut });
      }
    }
  }
  const rights = grants.flatMap((grant): Result['rights'][number][] => {
    if (!isGiven(grant)) return [{ grant: grant.id, device: null, group: null, ...NOTHING }];
    return groups.flatMap((group) =>
      devicesOf(grant.user).flatMap((device) => {
        const lost = lostAt(grant.id, device, group);
        return lost === undefined ? [] : [{ grant: grant.id, device, group, ...lost }];
      }),
    );
  });
  return { cuts, rights };
}
