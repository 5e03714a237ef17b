/** Faults are over: all machines that are left are on, in touch, and have the right time. Now there has to be progress, and then silence. */
import type { Db } from '../core/db.ts';
import { decodeHeader, encodeEventItem, encodeFrame } from '../core/event-codec.ts';
import type { Id } from '../core/fields.ts';
import { checkIntegrity } from '../hosts/node/integrity.ts';
import { PREKEY_USABLE_MS, PREKEYS_MIN } from '../protocols/quiet/events/prekey/schema.ts';
import { EPOCH_MS } from './machine.ts';
import { QUIET } from './network.ts';
import { PACES, spans } from './scenario.ts';
import type { Place, Simulation } from './simulation.ts';
import { violated } from './truth.ts';

const { SECOND_MS, MINUTE_MS, DAY_MS } = spans;

const SIZES = `
  SELECT (SELECT count(*) FROM event WHERE identity = :identity) AS events, (SELECT count(*) FROM event WHERE identity = :identity AND body IS NULL) AS dead,
    (SELECT count(*) FROM wrap) AS wraps, (SELECT count(*) FROM waiting) AS waiting`;

/** Events with their wraps, as one frame takes them: those that are for everybody. */
function itemsOf(db: Db, identity: number): Uint8Array[] {
  const wraps = db.prepare(
    'SELECT k.id, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = :n AND w.sealed IS NOT NULL ORDER BY k.id',
  );
  const events = db.prepare(
    'SELECT n, header, signature, body FROM event WHERE identity = :identity AND body IS NOT NULL AND group_n IS NULL ORDER BY id LIMIT :limit',
  );
  return events.all({ identity, limit: 1_000 }).map(({ n, header, signature, body }) =>
    encodeEventItem({
      header: header as Uint8Array,
      signature: signature as Uint8Array,
      body: body as Uint8Array,
      wraps: wraps.all({ n: n as number }).map(({ id, sealed }) => ({
        key_id: (id as Uint8Array).toHex(),
        sealed: sealed as Uint8Array,
      })),
    }),
  );
}

interface KeyState {
  readonly key_id: Id;
  readonly expires_ms: number;
  readonly dirty_ms: number | null;
  readonly zeroed_ms: number | null;
  readonly unreachable_ms: number | null;
  readonly to_rewrap: number;
  readonly to_remove: number;
}

export class Settling {
  readonly #sim: Simulation;
  readonly #factor: number;

  constructor(sim: Simulation, factor: number) {
    this.#sim = sim;
    this.#factor = factor;
  }

  async run(): Promise<void> {
    const sim = this.#sim;
    sim.say('-- faults are over');
    sim.network.faults = QUIET;
    sim.network.heal();
    for (const machine of sim.machines.values()) {
      if (machine.state === 'destroyed') continue;
      // Of two machines that are one device its owner keeps one.
      if (sim.clones.has(machine.name)) {
        machine.destroy();
        continue;
      }
      machine.clock.right();
      machine.disk.heal();
      if (machine.state === 'asleep') machine.wake();
    }
    await sim.pass(2 * SECOND_MS);
    for (const machine of sim.machines.values()) {
      if (machine.state === 'off') sim.boot(machine);
      machine.disk.faults_met = 0;
    }
    await this.#sleepUntilThen();
    // Nobody waits for an hour's grace at the founding periods, 3 s after 3 s.
    if (sim.pace === 'founding') sim.pace = 'brisk';
    if (this.#factor !== 1 || sim.pace !== sim.scenario.pace) sim.changeJobs(this.#factor);
    sim.checks.lookAtAll();
    // As long as something is owed, up to what the promises allow: grace of keys, of what carried them, and others' turns.
    const { grace_ms, turn_ms, chain_ms, sync_ms } = PACES[sim.pace];
    const step_ms = (2 * sync_ms + chain_ms) * Math.max(1, this.#factor);
    const horizon_ms = 3 * grace_ms + 4 * turn_ms + 48 * step_ms + 20 * MINUTE_MS;
    const end_ms = sim.timeline.now_ms + horizon_ms;
    let owed = 'nothing was looked at';
    while (sim.timeline.now_ms < end_ms) {
      await sim.pass(step_ms);
      sim.people.welcome();
      this.#confirmClocks();
      sim.checks.lookAtAll();
      const found = this.#owed();
      if (found === null) {
        owed = '';
        break;
      }
      owed = found;
    }
    if (owed !== '') violated(owed.split(':')[0]!, owed.slice(owed.indexOf(':') + 2));
    sim.checks.forgetOpened();
    sim.checks.lookAtAll();
    for (const place of sim.places()) sim.checks.nothingAcknowledgedLost(place);
    for (const machine of sim.on) sim.checks.nothingInPlain(machine);
    await this.#silence();
    await this.#whole();
  }

  /** S16: what comes once more changes nothing. S1, S2, S3, S6: each record is what it has to be, and the projections are what the records lead to. */
  async #whole(): Promise<void> {
    const sim = this.#sim;
    for (const places of this.#members().values()) {
      const [one, other] = [places[0]!, places.at(-1)!];
      const size = () => JSON.stringify(other.machine.db().prepare(SIZES).get({ identity: other.identity }));
      const before = size();
      if (one !== other) {
        const device_id = one.machine.runtime.engine.identity(one.identity)!.device_id;
        const session = { session_id: 'once more', device_id };
        const frame = encodeFrame(itemsOf(one.machine.db(), one.identity));
        other.machine.runtime.engine.receive(other.identity, session, frame);
      }
      if (size() !== before)
        violated('S16', `${other.machine.name} takes in what it has: ${before}, ${size()}`);
    }
    for (const machine of sim.on.slice(0, 1)) {
      const { problems } = await checkIntegrity(machine.db(), sim.protocol, () => undefined);
      const [problem] = problems;
      if (problem !== undefined)
        violated('S1', `on ${machine.name}: ${sim.truth.nameOf(problem.event_id ?? '')}: ${problem.problem}`);
    }
  }

  /** What was made by clocks that were ahead is held until its time, and what was noted by them counts from that time: so all sleep until then, be it for years. */
  async #sleepUntilThen(): Promise<void> {
    const sim = this.#sim;
    // Whoever lies about the time is not waited for.
    const liars = [...sim.hostile_devices].map((id) => `x'${id}'`).join();
    const newest = `
      SELECT max(coalesce((SELECT max(created_ms) FROM event WHERE author NOT IN (${liars})), 0),
        coalesce((SELECT max(not_before_ms) FROM waiting WHERE author NOT IN (${liars})), 0),
        coalesce((SELECT max(max(coalesce(dirty_ms, 0), coalesce(exposed_ms, 0), coalesce(closed_ms, 0))) FROM group_key), 0),
        coalesce((SELECT max(created_ms) FROM prekey_secret), 0)) AS ms`;
    const latest_ms = Math.max(
      0,
      ...sim.on.map((machine) => Number(machine.db().prepare(newest).get()?.ms ?? 0)),
    );
    // Keys were sealed to prekeys whose secrets only a copy had, as long as others took these for the device's.
    const copies_ms = sim.clones.size > 0 ? 8 * DAY_MS : 0;
    const ahead_ms = Math.max(copies_ms, latest_ms - (EPOCH_MS + sim.timeline.now_ms));
    if (ahead_ms <= 0) return;
    sim.say(`all sleep for ${Math.ceil(ahead_ms / MINUTE_MS)} min, until it is as late as somebody thought`);
    for (const machine of sim.on) machine.sleep();
    await sim.pass(ahead_ms + MINUTE_MS);
    for (const machine of sim.machines.values()) machine.wake();
  }

  /** Where too few are left who could say that a clock is right, its owner does. */
  #confirmClocks(): void {
    for (const { runtime } of this.#sim.on)
      if (runtime.scheduler.clockStatus().suspect) runtime.scheduler.confirmClock();
  }

  /** Places whose devices belong to their network, as all of these see it. */
  #members(): Map<Id, Place[]> {
    const sim = this.#sim;
    const by_network = new Map<Id, Place[]>();
    for (const place of sim.places()) {
      if (sim.isOut(place)) continue;
      const all = by_network.get(place.network_id) ?? [];
      all.push(place);
      by_network.set(place.network_id, all);
    }
    return by_network;
  }

  /** The first thing that is not yet as it has to be, with the number of its promise; null: all is. */
  #owed(): string | null {
    for (const places of this.#members().values()) {
      for (const place of places) {
        const waiting = this.#waiting(place);
        if (waiting !== null) return waiting;
        const key = this.#key(place, places.length > 1) ?? this.#machine(place);
        if (key !== null) return key;
      }
      const different = this.#different(places);
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

  /** What each place shows, without what hangs on the moment: the texts of messages, where they are, who is a member. */
  shown(): string[] {
    const sim = this.#sim;
    return sim.places().flatMap((place) => {
      const channels = sim.query<{ channel_id: Id; name: string }>(place, 'get_channels');
      return channels.flatMap(({ channel_id, name }) =>
        sim
          .query<{ text: string; edited_ms: number | null; expires_ms: number }>(place, 'get_messages', {
            channel_id,
            limit: 1_000,
          })
          // One horizon is longer than the other: what has a time is gone here, and is not there.
          .filter(({ expires_ms }) => expires_ms === Number.MAX_SAFE_INTEGER)
          .map(({ text, edited_ms }) => `${place.key} ${name}: ${text} ${edited_ms}`),
      );
    });
  }

  /** L8, L9: two peers in agreement say next to nothing, and nothing is sealed anew any more. */
  async #silence(): Promise<void> {
    const sim = this.#sim;
    const { sync_ms } = PACES[sim.pace];
    const rounds = 2;
    const size = () =>
      sim
        .places()
        .map(({ machine, identity }) =>
          JSON.stringify(
            machine
              .db()
              .prepare('SELECT count(*) AS events, max(n) AS last FROM event WHERE identity = :identity')
              .get({ identity }),
          ),
        )
        .join();
    let said = '';
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = { ...sim.network.counts };
      const size_before = size();
      await sim.pass(rounds * sync_ms * Math.max(1, this.#factor));
      const messages = sim.network.counts.messages - before.messages;
      const bytes = sim.network.counts.bytes - before.bytes;
      const pairs = Math.max(1, (sim.places().length * (sim.places().length - 1)) / 2);
      // Both sides begin a round each time: a question and its answer, and some room for what comes by the clock.
      if (size() === size_before && messages <= pairs * rounds * 6 && bytes <= pairs * rounds * 4_000) return;
      said = `${messages} messages, ${bytes} bytes among ${pairs} pairs in ${rounds} rounds, ${size() === size_before ? 'nothing' : 'something'} new`;
    }
    violated('L8', `it does not become quiet: ${said}`);
  }
}
