/**
 * What is owed once faults are over: the promises that something happens. Each is looked after by name, with all that the world knows; the first that
 * is not kept yet is told.
 */

import type { Id } from '../core/fields.ts';
import { decodeHeader } from '../core/header-codec.ts';
import { limits } from '../core/limits.ts';
import { PREKEY_USABLE_MS, PREKEYS_MIN } from '../protocols/quiet/events/prekey/schema.ts';
import { pairOf } from './network.ts';
import { PACES, spans } from './scenario.ts';
import type { Place, Simulation } from './simulation.ts';

const { MINUTE_MS } = spans;

/** What a device holds, and believes that another may have, too. */
const SHARED = `
  SELECT lower(hex(e.id)) AS id, e.type FROM event e LEFT JOIN event g ON g.n = e.group_n
  WHERE e.identity = :identity AND e.body IS NOT NULL AND e.expires_ms > :until AND (e.group_n IS NULL OR (
    EXISTS (SELECT 1 FROM current_group_device m WHERE m.identity = e.identity AND m.group_id = g.id AND m.device = :peer)
    AND EXISTS (SELECT 1 FROM current_group_device m JOIN identity i ON i.identity = m.identity AND i.device = m.device
      WHERE m.identity = e.identity AND m.group_id = g.id)))`;

/** What is here of the dead and of what has expired, beside headers. `event` tables are those that projectors write. */
const REMAINS: Readonly<Record<string, string>> = {
  'events that have expired, with content':
    'SELECT count(*) AS n FROM event WHERE (body IS NOT NULL OR superseded = 1) AND expires_ms < :before',
  'events that have expired and wait': 'SELECT count(*) AS n FROM waiting WHERE expires_ms < :before',
  'events that have waited for too long':
    'SELECT count(*) AS n FROM waiting WHERE received_ms < :oldest AND author NOT IN (SELECT device FROM identity i WHERE i.identity = waiting.identity)',
  'wraps of what is dead':
    'SELECT count(*) AS n FROM wrap w LEFT JOIN event e ON e.n = w.of WHERE (e.body IS NULL AND w.sealed IS NOT NULL) OR e.n IS NULL',
};
const PROJECTIONS = `
  SELECT m.name AS name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
  WHERE m.type = 'table' AND f."table" = 'event' AND f."from" = 'event' ORDER BY m.name`;

interface KeyState {
  readonly key_id: Id;
  readonly expires_ms: number;
  readonly dirty_ms: number | null;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
  readonly to_rewrap: number;
  readonly to_remove: number;
}

export class Owed {
  readonly #sim: Simulation;
  readonly #factor: number;

  /** `factor`: so many times as far apart as usual do jobs run now. */
  constructor(sim: Simulation, factor: number) {
    this.#sim = sim;
    this.#factor = factor;
  }

  /**
   * Places whose devices belong to their network, by those who can come together: where somebody has let in a newcomer, and left or was lost before
   * anybody else heard of it, the newcomer and the others cannot find each other.
   */
  members(): Place[][] {
    const sim = this.#sim;
    const companies: Place[][] = [];
    for (const place of sim.places()) {
      if (sim.isOut(place)) continue;
      const found = companies.filter((company) => company.some((other) => this.#inTouch(place, other)));
      const joined = [...found.flat(), place];
      for (const company of found) companies.splice(companies.indexOf(company), 1);
      companies.push(joined);
    }
    return companies;
  }

  /** Whether they have ever heard each other, or one knows where the other is. */
  #inTouch(one: Place, other: Place): boolean {
    if (one.network_id !== other.network_id) return false;
    const [name, other_name] = [one.machine.name, other.machine.name];
    if (name === other_name || this.#sim.network.lines.has(pairOf(name, other_name))) return true;
    return this.#knowsAddress(one, other) || this.#knowsAddress(other, one);
  }

  #knowsAddress(who: Place, { machine, identity }: Place): boolean {
    const device_id = machine.runtime.engine.identity(identity)?.device_id;
    const peers = this.#sim.query<{ device_id: Id; address: string }>(who, 'get_peers_to_dial');
    // Of a device that was two machines it may be the address of the other.
    return peers.some((peer) => peer.device_id === device_id && peer.address === machine.address);
  }

  /** The first thing that is not yet as it has to be, with the number of its promise; null: all is. */
  first(): string | null {
    for (const places of this.members()) {
      for (const place of places) {
        const waiting = this.#waiting(place);
        if (waiting !== null) return waiting;
        const key = this.#key(place, places.length > 1) ?? this.#machine(place) ?? this.#remains(place);
        if (key !== null) return key;
      }
      const different = this.#apart(places) ?? this.#different(places);
      if (different !== null) return different;
    }
    return null;
  }

  /** L3: nothing waits of those who belong to the network and do as they should. Of others it waits until it has waited long enough. */
  #waiting(place: Place): string | null {
    const rules = new Map<string, number>();
    const honest = this.#sim.honestDevices();
    const groups = new Set(this.#sim.query<{ group_id: Id }>(place, 'get_groups').map((row) => row.group_id));
    for (const { rule, header } of place.machine
      .db()
      .prepare('SELECT rule, header FROM waiting WHERE identity = :identity')
      .all({ identity: place.identity })) {
      const { author, group_id } = decodeHeader(header as Uint8Array);
      // What is for a group that one is not in waits for a key that never comes.
      const is_ours = group_id === null || group_id === place.network_id || groups.has(group_id);
      if (honest.has(author) && is_ours) rules.set(rule as string, (rules.get(rule as string) ?? 0) + 1);
    }
    if (rules.size === 0) return null;
    return `L3: on ${place.machine.name} ${[...rules].map(([rule, count]) => `${count} wait: ${rule}`).join(', ')}`;
  }

  #key(place: Place, has_peers: boolean): string | null {
    const now_ms = place.machine.clock.wall_ms();
    const { chain_ms } = PACES[this.#sim.pace];
    for (const key of this.#sim.query<KeyState>(place, 'get_key_states')) {
      const what = `key ${key.key_id.slice(0, 8)} of ${place.machine.name} ${JSON.stringify({ ...key, key_id: undefined, now_ms })}`;
      if (key.dirty_ms !== null && (has_peers ? key.unreachable_ms : key.zeroed_ms) === null)
        return `L4: dirty and not out of reach: ${what}`;
      if (key.expires_ms < now_ms - 3 * chain_ms && key.zeroed_ms === null)
        return `L4: expired and not erased: ${what}`;
      if (key.to_rewrap + key.to_remove > 0) return `L9: owed: ${what}`;
    }
    return null;
  }

  /** L5: what was erased is receipted. L6: there are prekeys for whoever wants to give a key. L7: no job waits for longer than it should. */
  #machine(place: Place): string | null {
    const { machine } = place;
    const now_ms = machine.clock.wall_ms();
    const { open } = this.#sim.query<{ open: number }>({ machine, identity: 0 }, 'get_open_purges')[0]!;
    if (open > 0) return `L5: ${open} erasures on ${machine.name} have no receipt`;
    const until_ms = now_ms + PREKEY_USABLE_MS;
    const { usable } = this.#sim.query<{ usable: number }>(place, 'count_usable_prekeys', { until_ms })[0]!;
    if (usable < PREKEYS_MIN) return `L6: ${machine.name} has ${usable} prekeys that are good`;
    const late = machine
      .db()
      .prepare(
        `SELECT job, parked FROM job_schedule WHERE disabled = 0 AND (parked = 'held' OR (parked IS NULL AND (next_due_ms < :since OR next_due_ms > :until)))`,
      )
      .get({ since: now_ms - 60_000, until: now_ms + 30 * MINUTE_MS * Math.max(1, this.#factor) });
    if (late !== undefined)
      return `L7: on ${machine.name} the job ${String(late.job)} is due and does not run${late.parked === null ? '' : ': held'}`;
    return null;
  }

  /** L10: of what is dead its header is left and nothing else, and what has expired does not wait to die. */
  #remains({ machine }: Place): string | null {
    const db = machine.db();
    const now_ms = machine.clock.wall_ms();
    const { chain_ms } = PACES[this.#sim.pace];
    const before = now_ms - 5 * chain_ms * Math.max(1, this.#factor);
    const oldest = now_ms - limits.waiting_ms_max - 5 * MINUTE_MS * Math.max(1, this.#factor);
    for (const [what, sql] of Object.entries(REMAINS)) {
      const left = Number(db.prepare(sql).get({ before, oldest })?.n);
      if (left > 0) return `L10: on ${machine.name} there are ${left} ${what}`;
    }
    for (const { name } of db.prepare(PROJECTIONS).all()) {
      const dead = `SELECT count(*) AS n FROM ${String(name)} t JOIN event e ON e.n = t.event WHERE e.body IS NULL AND e.superseded = 0`;
      const left = Number(db.prepare(dead).get()?.n);
      if (left > 0) return `L10: on ${machine.name} the dead have ${left} rows in ${String(name)}`;
    }
    return null;
  }

  /** L1: what one of them holds and another may have, that one holds, too. */
  #apart(places: readonly Place[]): string | null {
    const deviceOf = ({ machine, identity }: Place) => machine.runtime.engine.identity(identity)!.device_id;
    const sharedBy = (one: Place, other: Place) =>
      new Map(
        one.machine
          .db()
          .prepare(SHARED)
          .all({
            identity: one.identity,
            peer: Uint8Array.fromHex(deviceOf(other)),
            until: one.machine.clock.wall_ms() + MINUTE_MS,
          })
          .map(({ id, type }) => [id as Id, type as string]),
      );
    for (const [at, one] of places.entries())
      for (const other of places.slice(at + 1)) {
        const [here, there] = [sharedBy(one, other), sharedBy(other, one)];
        for (const [holder, lacks, held, by] of [
          [one, other, here, there],
          [other, one, there, here],
        ] as const) {
          const missing = [...held].filter(([id]) => !by.has(id));
          if (missing.length === 0) continue;
          const what = missing.slice(0, 4).map(([id, type]) => `${type} ${this.#sim.truth.nameOf(id)}`);
          return `L1: ${holder.machine.name} has ${missing.length} events that ${lacks.machine.name} may have and has not: ${what.join(', ')}`;
        }
      }
    return null;
  }

  /** L2: whoever is in a network shows the same, and in a group those who are in it. */
  #different(places: readonly Place[]): string | null {
    const sim = this.#sim;
    const views = places.map((place) => {
      const view = new Map<string, string>();
      const channels = sim.query<{ channel_id: Id; name: string; group_id: Id; group_kind: string }>(
        place,
        'get_channels',
      );
      for (const { channel_id, name, group_id } of channels) {
        const of_channel = { channel_id, limit: 1_000 };
        const messages = sim
          .query<{ message_id: Id; text: string; edited_ms: number; author_user_id: Id }>(
            place,
            'get_messages',
            of_channel,
          )
          .map(
            ({ message_id, text, edited_ms, author_user_id }) =>
              `${message_id} ${text} ${edited_ms} ${author_user_id}`,
          );
        const reactions = sim
          .query<{ message_id: Id; emoji: string; count: number }>(place, 'get_reactions', of_channel)
          .map(({ message_id, emoji, count }) => `${message_id} ${emoji} ${count}`);
        view.set(`${group_id} ${channel_id}`, [name, ...messages, ...reactions.sort()].join('\n'));
      }
      const members = sim
        .query<{ user_id: Id; name: string; devices: number }>(place, 'get_members', { group_id: null })
        .map(({ user_id, name, devices }) => `${user_id} ${name} ${devices}`);
      view.set('members', members.join('\n'));
      return {
        place,
        view,
        groups: new Set(sim.query<{ group_id: Id }>(place, 'get_groups').map((row) => row.group_id)),
      };
    });
    for (const [at, one] of views.entries())
      for (const other of views.slice(at + 1))
        for (const channel of new Set([...one.view.keys(), ...other.view.keys()])) {
          const group = channel.split(' ')[0]!;
          const is_for_both =
            group === 'members' ||
            group === one.place.network_id ||
            (one.groups.has(group) && other.groups.has(group));
          if (!is_for_both || one.view.get(channel) === other.view.get(channel)) continue;
          const [a, b] = [one, other].map(
            ({ view }) => new Set((view.get(channel) ?? '(nothing)').split('\n')),
          );
          const differing = [...a!.symmetricDifference(b!)].map((line) =>
            line.replace(/[0-9a-f]{64}/g, (id) => sim.truth.nameOf(id)),
          );
          return `L2: ${one.place.machine.name} and ${other.place.machine.name} differ in ${channel.slice(0, 8)}: ${differing.slice(0, 4).join(' | ')}`;
        }
    return null;
  }
}
