/**
 * Queries and commands by name, as the views ask them: with the rows they read, and the names of people and times that stand in ids.
 */
import { type NetworkView, shortId } from '../../api/facade.ts';
import { SottoError } from '../../core/assert.ts';
import type { CommandResult, Engine } from '../../core/engine.ts';
import type { Identity } from '../../core/envelope.ts';
import type { Id } from '../../core/fields.ts';
import { CommandBatches } from './command-batches.ts';

export interface NetworkRow extends Omit<NetworkView, 'waiting_by_rule' | 'catching_up'> {
  readonly identity: Identity;
}
/** Where somebody works. */
export type Place = Pick<NetworkRow, 'identity' | 'network_id'>;
export interface MemberRow {
  readonly user_id: Id;
  readonly name: string | null;
  /** Those that are not removed. */
  readonly devices: number;
  readonly joined_ms: number;
}
export interface GroupRow {
  readonly group_id: Id;
  readonly kind: 'private' | 'direct';
  readonly name: string | null;
  readonly channels: number;
  readonly created_ms: number;
}

/** What happens on this node alone. */
const OWN_AFFAIRS: ReadonlySet<string> = new Set(['mark_read', 'forget_network']);
/** By these somebody senior to whoever removed them may be in again. */
const ANSWERS: ReadonlySet<string> = new Set(['remove_user', 'remove_device']);

const removed = () =>
  new SottoError(
    'removed',
    'This device was removed from the network or the group, so that nothing new of it counts. What it has stays readable here; `sotto network delete` erases it.',
  );

export class Asking {
  readonly #engine: Engine;
  readonly #batches: CommandBatches;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#batches = new CommandBatches(engine);
  }

  /** Nothing that somebody said is left undone when the node ends. */
  close(): void {
    this.#batches.flush();
  }

  query<Row>(name: string, params: Readonly<Record<string, unknown>>, identity: Identity): Row[] {
    return [...this.#engine.query(name, params, identity)] as Row[];
  }

  /** Runs a command. Of a device that was removed nothing counts any more, so that it is refused, but for what is its own affair. */
  command(name: string, identity: Identity, input: Readonly<Record<string, unknown>>): CommandResult {
    const is_answer = ANSWERS.has(name);
    if (!is_answer && !OWN_AFFAIRS.has(name) && this.#isRemoved(identity)) throw removed();
    try {
      const made = this.#engine.command(name, identity, input);
      // Said all the same: it may have undone the removal, and if it has not, it counts as little as all the rest.
      if (is_answer && this.#isRemoved(identity)) throw removed();
      return made;
    } catch (thrown) {
      throw inWords(thrown);
    }
  }

  /** The same together with other commands that come at about this time: for what people do often. Returns the event's id once it is on the disk. */
  async saySoon(name: string, identity: Identity, input: Readonly<Record<string, unknown>>): Promise<Id> {
    if (this.#isRemoved(identity)) throw removed();
    try {
      return onlyEvent(await this.#batches.run({ name, identity, input }));
    } catch (thrown) {
      throw inWords(thrown);
    }
  }

  #isRemoved(identity: Identity): boolean {
    const device_id = this.#engine.identity(identity)?.device_id;
    if (device_id === undefined) return false;
    try {
      return this.query('is_removed_device', { device_id }, identity).length > 0;
    } catch (thrown) {
      // A protocol without members.
      if (thrown instanceof SottoError && thrown.code === 'unknown_query') return false;
      throw thrown;
    }
  }

  /** Runs a command that makes an event. Returns its id: of several, that of the last. */
  say(name: string, identity: Identity, input: Readonly<Record<string, unknown>>): Id {
    return onlyEvent(this.command(name, identity, input));
  }

  networks(): NetworkRow[] {
    return this.query<NetworkRow & { readonly network_id: Id | null }>('get_networks', {}, 0).filter(
      (row) => row.network_id !== null,
    );
  }

  /** The same, without what they are called and how much there is. */
  places(): (Place & Pick<NetworkRow, 'admitted' | 'removed'>)[] {
    return this.query<ReturnType<Asking['places']>[number] & { readonly network_id: Id | null }>(
      'get_places',
      {},
      0,
    ).filter((row) => row.network_id !== null);
  }

  /** Everybody who has ever been let in, to the network or to one private group. */
  members(identity: Identity, group_id: Id | null = null): MemberRow[] {
    return this.query<MemberRow>('get_members', { group_id }, identity);
  }

  names(identity: Identity): Names {
    return new Names(this.members(identity));
  }

  groups(identity: Identity): GroupRow[] {
    return this.query<GroupRow>('get_groups', {}, identity);
  }

  /** The network of an identity; null for none. */
  networkOf(identity: Identity | null): Id | null {
    return identity === null ? null : (this.#engine.identity(identity)?.network_id ?? null);
  }
}

/** What the users of a network want to be called. */
export class Names {
  readonly #names: ReadonlyMap<Id, string>;

  constructor(members: readonly MemberRow[]) {
    this.#names = new Map(
      members.flatMap(({ user_id, name }) => (name === null ? [] : [[user_id, name] as const])),
    );
  }

  /** null where it is not known. */
  of(user_id: Id | null): string | null {
    return user_id === null ? null : (this.#names.get(user_id) ?? null);
  }

  /** The short id where it is not known. */
  shown(user_id: Id): string {
    return this.of(user_id) ?? shortId(user_id);
  }
}

/** The id of the event that a command is about: the last one it made. */
export function onlyEvent(made: CommandResult): Id {
  return made.event_ids.findLast((id) => id !== null) ?? '';
}

/** When an event was made: it is in its id. */
export function madeMs(event_id: Id): number {
  return Number.parseInt(event_id.slice(0, 12), 16);
}

/** What our own device says waits like anything else of somebody who was removed: a person wants to know why. */
const inWords = (thrown: unknown): unknown =>
  thrown instanceof SottoError && thrown.code === 'author_removed' ? removed() : thrown;
