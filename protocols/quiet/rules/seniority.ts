/**
 * Who ranks above whom among removals and revocations ("acts"), and which of them an act rests on: what the order of judging is made of
 * (`order.ts`). Everything here is a function of facts that never change, whatever is in force.
 */
import type { Id } from '../../../core/fields.ts';
import type { Facts } from './facts.ts';
import { setIn } from './maps.ts';

export type Removal = Facts['removals'][number];
export type Revocation = Facts['revocations'][number];
export type Act = Removal | Revocation;
type Grant = Facts['grants'][number];

/** What merely follows in a group from what was judged for everybody: before all else there. */
const FOLLOWS = -1;
/** A group's founder in it: after every admin. */
const CREATOR_OF_GROUP = 1_000;
/** Oneself, without any right. */
const PLAIN_MEMBER = 2_000;
/** Among one's own devices those that were linked later come after the first, or a thief of one would turn it out. */
const LINKED_LATER = 0.5;

export class Seniority {
  /** The user that the network's first device speaks for. */
  readonly founder: Id | undefined;
  readonly #devices_of = new Map<Id, Set<Id>>();
  readonly #users_of = new Map<Id, Set<Id>>();
  readonly #first_devices = new Set<Id>();
  readonly #grants: ReadonlyMap<Id, Grant>;
  readonly #distances = new Map<Id, number>();
  /** How far the nearest grant of `admin` to a user is from the founder. */
  readonly #nearest = new Map<Id, number>();
  readonly #creators = new Map<Id, Set<Id>>();

  constructor(facts: Facts) {
    for (const { device_id, user_id, is_linked } of facts.devices) {
      setIn(this.#devices_of, user_id).add(device_id);
      setIn(this.#users_of, device_id).add(user_id);
      if (!is_linked) this.#first_devices.add(device_id);
    }
    this.founder = facts.devices.find(
      (device) => device.device_id === facts.founder_device && !device.is_linked,
    )?.user_id;
    this.#grants = new Map(facts.grants.map((grant) => [grant.event_id, grant]));
    for (const { event_id, user_id, right } of facts.grants) {
      if (right !== 'admin') continue;
      const distance = this.#distance(event_id);
      this.#nearest.set(user_id, Math.min(this.#nearest.get(user_id) ?? distance, distance));
    }
    for (const { group_id, creator_id } of facts.group_members)
      setIn(this.#creators, group_id).add(creator_id);
  }

  get devices(): Iterable<Id> {
    return this.#users_of.keys();
  }

  devicesOf(user_id: Id): Iterable<Id> {
    return this.#devices_of.get(user_id) ?? [];
  }

  grant(grant_id: Id): Grant | undefined {
    return this.#grants.get(grant_id);
  }

  speaksFor(device_id: Id, user_id: Id | undefined): boolean {
    return user_id !== undefined && this.#users_of.get(device_id)?.has(user_id) === true;
  }

  /** Leaving, or removing a device of one's own: no right is needed. */
  isOwn(act: Act): act is Removal {
    return act.because_id === null && !('grant_id' in act) && this.speaksFor(act.author, act.user_id);
  }

  /** The grant by which an act was done, where it needs one. */
  basisOf(act: Act): Id | null {
    return act.because_id !== null || this.isOwn(act) ? null : act.basis_id;
  }

  /** Whether a removal in a private group is by whoever founded that group. */
  isByCreator({ author, group_id }: Removal): boolean {
    return [...(this.#creators.get(group_id ?? '') ?? [])].some((user_id) => this.speaksFor(author, user_id));
  }

  /** The lower, the more senior. */
  rank(act: Act): number {
    if (act.because_id !== null) return FOLLOWS;
    // Among one's own devices rights do not count, or a thief of one would remove the rest; among others' acts, one's own are as senior as one is.
    if (this.isOwn(act)) return this.#rankOf(act) + (this.#first_devices.has(act.author) ? 0 : LINKED_LATER);
    if (act.basis_id !== null) return this.#distance(act.basis_id);
    return this.speaksFor(act.author, this.founder) ? 0 : CREATOR_OF_GROUP;
  }

  #rankOf({ user_id, group_id }: Removal): number {
    if (user_id === this.founder) return 0;
    const nearest = this.#nearest.get(user_id);
    if (nearest !== undefined) return nearest;
    return this.#creators.get(group_id ?? '')?.has(user_id) === true ? CREATOR_OF_GROUP : PLAIN_MEMBER;
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
}
