/** What really happened, as nobody in the simulation knows it: who wrote what, which of it was deleted, and what each machine has shown so far. */
import type { Id } from '../core/fields.ts';

/** In every text and name that people write: nowhere but in memory may these bytes be. */
export const MARKER = 'sEcReT-WoRd';

export interface Version {
  readonly event_id: Id;
  /** The device that made it. */
  readonly by: Id;
  readonly text: string;
}

export interface Written {
  readonly label: string;
  readonly network_id: Id;
  readonly channel_id: Id;
  readonly author: Id;
  readonly expires_ms: number;
  readonly versions: Version[];
  readonly reactions: Id[];
  /** Devices that have deleted it. */
  readonly deleted_by: Id[];
}

/** What one identity of one machine has shown. */
export interface Seen {
  readonly shown: Map<Id, number>;
  readonly gone: Set<Id>;
}

export class Truth {
  readonly written = new Map<Id, Written>();
  readonly #of_event = new Map<Id, { message_id: Id; version: number }>();
  readonly reactions = new Map<Id, Id>();
  /** With the devices that have deleted them. */
  readonly deleted_channels = new Map<Id, Id[]>();
  /** Channels by group, for the deletion of groups. */
  readonly group_of = new Map<Id, Id>();
  readonly deleted_groups = new Map<Id, Id[]>();
  /** Devices whose events may stop counting: somebody has removed them, or their user, or they left. */
  readonly removed = new Set<Id>();
  /** Devices of which there are two, or older copies: what they write twice under one number is two events. */
  readonly doubled = new Set<Id>();
  readonly seen = new Map<string, Seen>();

  /** Notes who has deleted a channel, or a group. */
  delete(of: 'channel' | 'group', id: Id, by: Id): void {
    const all = of === 'channel' ? this.deleted_channels : this.deleted_groups;
    all.set(id, [...(all.get(id) ?? []), by]);
  }

  seenBy(place: string): Seen {
    let seen = this.seen.get(place);
    if (seen === undefined) {
      seen = { shown: new Map(), gone: new Set() };
      this.seen.set(place, seen);
    }
    return seen;
  }

  write(message_id: Id, written: Written): void {
    this.written.set(message_id, written);
    this.#of_event.set(message_id, { message_id, version: 0 });
  }

  edit(message_id: Id, version: Version): void {
    const { versions } = this.written.get(message_id)!;
    versions.push(version);
    this.#of_event.set(version.event_id, { message_id, version: versions.length - 1 });
  }

  react(message_id: Id, event_id: Id): void {
    this.written.get(message_id)?.reactions.push(event_id);
    this.reactions.set(event_id, message_id);
  }

  mayBeDead(message_id: Id, now_ms: number): boolean {
    const written = this.written.get(message_id);
    if (written === undefined) return true;
    const group = this.group_of.get(written.channel_id);
    return (
      written.deleted_by.length > 0 ||
      written.expires_ms <= now_ms ||
      this.deleted_channels.has(written.channel_id) ||
      (group !== undefined && this.deleted_groups.has(group)) ||
      this.removed.has(written.author)
    );
  }

  nameOf(event_id: Id): string {
    const found = this.#of_event.get(event_id);
    if (found !== undefined)
      return `${found.version === 0 ? '' : `version ${found.version + 1} of `}${this.written.get(found.message_id)?.label}`;
    const message = this.reactions.get(event_id);
    if (message !== undefined) return `a reaction to ${this.written.get(message)?.label}`;
    return `event ${event_id.slice(12, 20)}`;
  }
}

/** What breaks: the number of the promise in `docs/testing.md`, and what was seen. */
export class Violation extends Error {
  readonly promise: string;
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

export function violated(promise: string, what: string): never {
  throw new Violation(promise, what);
}

/** Whether of two versions of a message, by their places, one is older: any edit is newer than what was sent, and of edits the id tells, which begins with the time. */
export const isOlder = ({ versions }: Written, one: number, other: number): boolean =>
  one !== other && other > 0 && (one === 0 || versions[one]!.event_id < versions[other]!.event_id);
