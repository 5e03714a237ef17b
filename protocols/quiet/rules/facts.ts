/** Everything that bears on who belongs and who may what, gathered for the judgement. null: nothing was ever taken away, so all of it counts. */
import type { Id, Infer, Shape } from '../../../core/fields.ts';
import type { Query, QueryDefinition } from '../../../core/query.ts';
import { getNetworkCreator } from '../events/network/queries.ts';
import {
  FACTS_PER_PAGE,
  getAdmissionFacts,
  getDeviceFacts,
  getFactsOnChain,
  getGrantFacts,
  getGroupFacts,
  getHeadFacts,
  getKnownFacts,
  getMissingOnChain,
  getRemovalFacts,
  getRevocationFacts,
  hasRemovals,
} from '../events/standing/queries.ts';
import { mapIn, setIn } from './maps.ts';

/** A fact: who said it, in which event. */
export interface Fact {
  readonly event_id: Id;
  readonly author: Id;
}
export interface Head {
  readonly seq: number;
  /** null: not even the first event. */
  readonly head: Id | null;
}
export interface Facts {
  readonly founder_device: Id;
  readonly devices: readonly {
    readonly peer_id: Id;
    readonly device_id: Id;
    readonly user_id: Id;
    readonly is_linked: boolean;
  }[];
  readonly admissions: readonly (Fact & { readonly joiner_id: Id })[];
  readonly grants: readonly (Fact & {
    readonly user_id: Id;
    readonly right: string;
    readonly basis_id: Id | null;
  })[];
  readonly revocations: readonly (Fact & {
    readonly seq: number;
    readonly group_id: Id | null;
    readonly grant_id: Id;
    readonly basis_id: Id | null;
    readonly because_id: Id | null;
  })[];
  readonly removals: readonly (Fact & {
    readonly seq: number;
    readonly group_id: Id | null;
    readonly user_id: Id;
    readonly whole_user: boolean;
    readonly basis_id: Id | null;
    readonly because_id: Id | null;
  })[];
  readonly group_members: readonly (Fact & {
    readonly group_id: Id;
    readonly user_id: Id;
    readonly creator_id: Id;
  })[];
  /** By removal or revocation: the heads it names, by device. */
  readonly heads: ReadonlyMap<Id, ReadonlyMap<Id, Head>>;
  /** By removal: the removals that its author says it knew. */
  readonly known: ReadonlyMap<Id, ReadonlySet<Id>>;
  /** Whether the author of any removal says so of this one. */
  readonly is_known: (removal_id: Id) => boolean;
  /** Ids of the facts that are reached from an event back along its chain. */
  readonly onChain: (head: Id) => ReadonlySet<Id>;
  /** Where the chains asked for so far end because a header is not here. */
  readonly missing: () => readonly Id[];
}

type Pages = typeof getDeviceFacts.params;

/** All rows of a query that gives them in pages. */
function all<R extends Shape>(query: Query, of: QueryDefinition<Pages, R>): Infer<R>[] {
  const rows: Infer<R>[] = [];
  for (;;) {
    const page = query(of as never, { offset: rows.length } as never) as readonly Infer<R>[];
    rows.push(...page);
    if (page.length < FACTS_PER_PAGE) return rows;
  }
}

export function gatherFacts(query: Query): Facts | null {
  const founder_device = query(getNetworkCreator)[0]?.device_id;
  if (founder_device === undefined || query(hasRemovals)[0]?.has_removals !== true) return null;
  const heads = new Map<Id, Map<Id, Head>>();
  for (const { event_id, device_id, seq, head } of all(query, getHeadFacts))
    mapIn(heads, event_id).set(device_id, { seq, head: seq === 0 ? null : head });
  const known = new Map<Id, Set<Id>>();
  const known_by_any = new Set<Id>();
  for (const { event_id, known_id } of all(query, getKnownFacts)) {
    setIn(known, event_id).add(known_id);
    known_by_any.add(known_id);
  }
  const chains = new Map<Id, ReadonlySet<Id>>();
  const missing = new Set<Id>();
  return {
    founder_device,
    devices: all(query, getDeviceFacts),
    admissions: all(query, getAdmissionFacts),
    grants: all(query, getGrantFacts),
    revocations: all(query, getRevocationFacts),
    removals: all(query, getRemovalFacts),
    group_members: all(query, getGroupFacts),
    heads,
    known,
    is_known: (removal_id) => known_by_any.has(removal_id),
    onChain: (head) => {
      const known_chain = chains.get(head);
      if (known_chain !== undefined) return known_chain;
      const found = new Set(query(getFactsOnChain, { head }).map((row) => row.event_id));
      chains.set(head, found);
      for (const { event_id } of query(getMissingOnChain, { head })) missing.add(event_id);
      return found;
    },
    missing: () => [...missing].sort(),
  };
}
