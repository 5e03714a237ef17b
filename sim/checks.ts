/**
 * What must hold at every moment, by the numbers of `docs/testing.md`. Each check sees the whole world: all that was written, all keys, all disks.
 */
import { decodeFrame, encodeFrame } from '../core/event-codec.ts';
import type { Id } from '../core/fields.ts';
import { limits } from '../core/limits.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Runtime } from '../hosts/runtime.ts';
import { forgetOpened } from '../protocols/quiet/handlers/content.ts';
import { EPOCH_MS, type Machine } from './machine.ts';
import type { Place, Simulation } from './simulation.ts';
import { isOlder, MARKER, type Seen, Violation, violated } from './truth.ts';

/** Sealed events that live here and cannot be opened: stored ones without a wrap under a key that is held, waiting ones without any wrap. */
const LOCKED = `
  SELECT lower(hex(e.id)) AS id, 'stored' AS place FROM event e
    WHERE e.identity = :identity AND e.sealed = 1 AND e.body IS NOT NULL AND e.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = e.n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL)
  UNION ALL SELECT lower(hex(t.id)), 'waiting' FROM waiting t
    WHERE t.identity = :identity AND t.rule = 'key_missing' AND t.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM waiting_wrap v WHERE v.waiting = t.n)`;

/** What a node tells itself because of what others say. */
const OWN_INSTRUCTIONS: ReadonlySet<string> = new Set(['standing', 'minted']);
/** A clock that is further off is suspect. */
const FAR_MS = 4 * 60_000;
/** Sealed events of devices that nobody has let in. */
const OF_STRANGERS = `
  SELECT lower(hex(e.id)) AS id FROM event e WHERE e.identity = :identity AND e.sealed = 1 AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM member_device m WHERE m.identity = e.identity AND m.device = e.author)`;
/** Sealed events of removed devices that are not reached from the head that the removal names. */
const OF_REMOVED = `
  SELECT lower(hex(e.id)) AS id FROM cut c JOIN event e ON e.identity = c.identity AND e.author = c.device
    AND c.group_id = coalesce((SELECT g.id FROM event g WHERE g.n = e.group_n), x'')
  WHERE c.identity = :identity AND e.sealed = 1 AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM chain_link l WHERE l.identity = e.identity AND l.id = e.id AND l.device = c.device AND l.group_id = c.group_id)`;
/** Devices that an event of this device gives a key to, and those that have a key that it is sealed under. */
const READERS = `
  SELECT e.created_ms, d.device AS device FROM event e JOIN identity i ON i.identity = e.identity AND i.device = e.author JOIN key_delivery d ON d.event = e.n
    WHERE e.identity = :identity AND e.id = :id
  UNION
  SELECT e.created_ms, x.device FROM event e JOIN identity i ON i.identity = e.identity AND i.device = e.author
    JOIN wrap w ON w.of = e.n AND w.sealed IS NOT NULL JOIN group_key k ON k.n = w.key
    JOIN (SELECT d.key_id, d.device, de.identity FROM key_delivery d JOIN event de ON de.n = d.event
      UNION SELECT d.key_id, de.author, de.identity FROM key_delivery d JOIN event de ON de.n = d.event) x ON x.key_id = k.id AND x.identity = e.identity
    WHERE e.identity = :identity AND e.id = :id`;

const marker = Buffer.from(MARKER);
const windows = (of: Uint8Array): Buffer[] =>
  Array.from({ length: of.length - 7 }, (_, at) => Buffer.from(of.subarray(at, at + 8)));

export class Checks {
  readonly #sim: Simulation;
  /** By place: what was acknowledged there, and must be there after whatever happens to the process. */
  readonly #acknowledged = new Map<string, Set<Id>>();
  readonly #entries = new Map<Runtime, number>();
  readonly #highest = new Map<string, number>();
  /** Machines whose clock was wrong once: what they made bears times that nobody can account for. */
  readonly #moved = new Set<string>();
  /** Machines whose clock was so wrong that they may have been told so, and have taken back what they believed. */
  readonly #far = new Set<string>();
  /** Machines whose clock was ahead by less than what makes it suspect: they let things expire early. And those that were ahead by more. */
  readonly #slightly_ahead = new Set<string>();
  readonly #far_ahead = new Set<string>();
  /** By machine and identity: devices that it knew to be removed when it was last looked at, and since when. */
  readonly #removed = new Map<string, Map<Id, number>>();
  #looks = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  clockMoved(machine: Machine): void {
    this.#moved.add(machine.name);
  }

  hadAWrongClock(machine: Machine): boolean {
    return this.#moved.has(machine.name);
  }

  // --- told of what happens -----------------------------------------------------------------------------------------------------------------------

  booted(machine: Machine, runtime: Runtime): void {
    runtime.engine.trace.follow((entry) => {
      this.#sim.marks.traced(entry);
      const { cause, stage, handler, type, outcome } = entry;
      // What a judgement or a new key leads to goes under the cause of what led to it.
      const is_said =
        cause.kind === 'session' && stage === 'valid' && handler === 'validate' && outcome === 'advance';
      if (is_said && type !== null && this.#sim.isLocal(type) && !OWN_INSTRUCTIONS.has(type))
        this.#sim.note(new Violation('S9', `${machine.name} does what another device tells it to: ${type}`));
    });
    if (machine.crashes > 0) this.#entries.set(runtime, 0);
    // L5: what was being erased when a process ended is finished before the next does anything.
    const { open } = runtime.engine.query('get_open_purges', {}, 0)[0] as { readonly open: number };
    if (open > 0)
      this.#sim.note(new Violation('L5', `${machine.name} begins with ${open} erasures unfinished`));
  }

  logged(machine: Machine, level: string, event: string, details: object): void {
    const { marks } = this.#sim;
    if (event === 'session_opened') marks.seen('a session began anew');
    if (event === 'handshakes_failed' || event === 'dial_failed') marks.seen('a handshake failed');
    if (event === 'frame_not_taken_in') marks.seen('a frame was not taken in');
    if (event === 'purged') {
      if (!machine.is_up) marks.seen('a purge was finished at the next start');
      this.#erased(machine);
    }
    const is_excused = machine.disk.is_dead || machine.disk.faults_met > 0;
    if (is_excused) marks.seen('a disk failed');
    else if (level === 'error' || /not_taken_in|not_opened|close_failed/.test(event))
      this.#sim.note(
        new Violation('F3', `${machine.name}: ${event} ${JSON.stringify(details)}, and its disk is well`),
      );
  }

  acknowledged(machine: Machine, identity: number, event_ids: readonly (Id | null)[]): void {
    const network_id = machine.runtime.engine.identity(identity)?.network_id;
    const key = `${machine.name} ${network_id}`;
    const all = this.#acknowledged.get(key) ?? new Set();
    this.#acknowledged.set(key, all);
    for (const event_id of event_ids) if (event_id !== null && event_id.length === 64) all.add(event_id);
  }

  /** S9: nothing that is local goes over the wire. S19: what goes out is on the disk. */
  committed(machine: Machine, effects: readonly AfterCommit[]): void {
    for (const effect of effects) {
      if (effect.effect === 'send') {
        this.#sent(machine, effect);
        continue;
      }
      if (effect.effect === 'changed') this.#changed(machine, effect);
      if (effect.effect === 'standing_changed') this.#sim.marks.seen('a member was removed');
      if (effect.effect === 'purged') this.#sim.trace(`${machine.name} erased`);
    }
  }

  /** S10: once an erasure is receipted, nothing of what was in the slots is in any file. */
  #erased(machine: Machine): void {
    try {
      const in_slots = machine
        .db()
        .prepare('SELECT s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id')
        .all()
        .map((row) => row.secret as Uint8Array);
      for (const secret of machine.disk.secrets.takeGone(in_slots))
        this.nothingOf(machine, secret, 'something that was erased');
    } catch (thrown) {
      if (thrown instanceof Violation) this.#sim.note(thrown);
      else this.#sim.excused(machine, thrown, null);
    }
  }

  /** S12: whom one knows to be removed is given no key, and nothing new is under a key that they have. */
  #changed(machine: Machine, { identity, event_id }: Extract<AfterCommit, { effect: 'changed' }>): void {
    const removed = this.#removed.get(`${machine.name} ${identity}`);
    if (event_id === null || removed === undefined || removed.size === 0 || this.hadAWrongClock(machine))
      return;
    const readers = machine
      .db()
      .prepare(READERS)
      .all({ identity, id: Uint8Array.fromHex(event_id) });
    for (const { device, created_ms } of readers) {
      const since_ms = removed.get((device as Uint8Array).toHex());
      if (since_ms !== undefined && (created_ms as number) > since_ms)
        violated('S12', `${machine.name} makes what a device can read that it knows to be removed`);
    }
  }

  /** S9: what is local stays here. S12: whom one knows to be removed is told nothing any more. */
  #sent(machine: Machine, { identity, session_id, item }: Extract<AfterCommit, { effect: 'send' }>): void {
    const [sent] = decodeFrame(encodeFrame([item]));
    if (sent?.item === 'transient' && this.#sim.isLocal(sent.type))
      violated('S9', `${machine.name} sends '${sent.type}', which is local`);
    const removed = this.#removed.get(`${machine.name} ${identity}`);
    if (removed === undefined || removed.size === 0) return;
    const sql = 'SELECT device FROM session WHERE identity = :identity AND session_id = :session_id';
    const device = machine.db().prepare(sql).get({ identity, session_id })?.device;
    if (device instanceof Uint8Array && removed.has(device.toHex()))
      violated('S12', `${machine.name} sends to a device that it knows to be removed`);
  }

  // --- backups ----------------------------------------------------------------------------------------------------------------------------------

  copyOfSeen(machine: Machine): Map<string, Seen> {
    return new Map(
      [...this.#sim.truth.seen]
        .filter(([key]) => key.startsWith(`${machine.name} `))
        .map(([key, { shown, gone }]) => [
          key.slice(machine.name.length + 1),
          { shown: new Map(shown), gone: new Set(gone) },
        ]),
    );
  }

  setBack(machine: Machine, to: Map<string, Seen>): void {
    const { truth, marks } = this.#sim;
    marks.seen('a machine was set back to an old copy');
    for (const key of [...truth.seen.keys()]) if (key.startsWith(`${machine.name} `)) truth.seen.delete(key);
    for (const key of [...this.#acknowledged.keys()])
      if (key.startsWith(`${machine.name} `)) this.#acknowledged.delete(key);
    for (const [network_id, { shown, gone }] of to)
      truth.seen.set(`${machine.name} ${network_id}`, { shown: new Map(shown), gone: new Set(gone) });
    this.#highest.delete(machine.name);
    for (const key of [...this.#removed.keys()])
      if (key.startsWith(`${machine.name} `)) this.#removed.delete(key);
  }

  // --- looked at after every step -----------------------------------------------------------------------------------------------------------------

  lookAtAll(): void {
    this.#looks += 1;
    this.#noteClocks();
    for (const machine of this.#sim.on) this.look(machine);
  }

  #noteClocks(): void {
    const right_ms = EPOCH_MS + this.#sim.timeline.now_ms;
    for (const { name, clock } of this.#sim.machines.values()) {
      const ahead_ms = clock.wall_ms() - right_ms;
      if (Math.abs(ahead_ms) > FAR_MS) this.#far.add(name);
      if (ahead_ms > limits.clock_forward_suspect_ms) this.#far_ahead.add(name);
      else if (ahead_ms > 1_000) this.#slightly_ahead.add(name);
    }
  }

  /** Its clock was believed though it was ahead, or may have been, by the word of others whose clocks were, too. */
  #mayBeEarly(machine: Machine): boolean {
    return (
      this.#slightly_ahead.has(machine.name) ||
      (this.#far_ahead.has(machine.name) && this.#far_ahead.size > 1)
    );
  }

  look(machine: Machine): void {
    const sim = this.#sim;
    try {
      for (const place of sim.places([machine])) {
        this.#lookAt(place);
        this.#bounded(place);
      }
      this.#time(machine);
      if (machine.disk.gave_secret !== null) throw machine.disk.gave_secret;
      this.#noFailures(machine);
      if (this.#looks % 8 === 0) this.nothingInPlain(machine);
    } catch (thrown) {
      if (thrown instanceof Violation) throw thrown;
      sim.excused(machine, thrown, null);
    }
  }

  /** Every message that is shown, and every one that was, against what was written. */
  #lookAt(place: Place): void {
    const sim = this.#sim;
    const { truth } = sim;
    const { machine, key } = place;
    const seen = truth.seenBy(key);
    const now_ms = machine.clock.wall_ms();
    // It has been later here: what had expired then has expired.
    const latest_ms = Math.max(
      now_ms,
      this.#far.has(machine.name) ? 0 : (this.#highest.get(machine.name) ?? 0),
    );
    const who = machine.name;
    const shown = new Map<Id, number>();
    const own = machine.db().prepare('SELECT 1 AS found FROM event WHERE identity = :identity AND id = :id');
    for (const { channel_id } of sim.query<{ channel_id: Id }>(place, 'get_channels')) {
      if (own.get({ identity: place.identity, id: Uint8Array.fromHex(channel_id) }) === undefined)
        violated('S18', `${who} shows a channel of another network`);
      for (const row of sim.query<{ message_id: Id; text: unknown; author: Id }>(place, 'get_messages', {
        channel_id,
        limit: 1_000,
      })) {
        const { message_id, text, author } = row;
        const written = truth.written.get(message_id);
        if (written === undefined) {
          if (!sim.hostile_devices.has(author)) violated('S3', `${who} shows a message that nobody wrote`);
          continue;
        }
        const { label } = written;
        if (written.network_id !== place.network_id)
          violated('S18', `${who} shows ${label} in another network`);
        if (written.channel_id !== channel_id) violated('S18', `${who} shows ${label} in another channel`);
        if (written.author !== author) violated('S3', `${who} shows ${label} as by somebody else`);
        if (written.expires_ms <= latest_ms) violated('S7', `${who} shows ${label}, which has expired`);
        if (seen.gone.has(message_id) && !this.#mayComeBack(message_id))
          violated('S7', `${who} shows ${label} again, which it had seen deleted`);
        if (typeof text !== 'string') violated('S4', `${who} shows ${label} without its text`);
        const version = written.versions.findIndex((one) => one.text === text);
        if (version === -1)
          violated('S6', `${who} shows ${label} as ${JSON.stringify(text)}, which nobody wrote`);
        const before = seen.shown.get(message_id);
        if (
          before !== undefined &&
          before < written.versions.length &&
          isOlder(written.versions[version]!, written.versions[before]!) &&
          !this.#mayComeBack(message_id)
        )
          violated('S7', `${who} shows an older version of ${label} again`);
        shown.set(message_id, version);
      }
    }
    this.#sql(place, OF_STRANGERS, (id) =>
      violated('S3', `${who} has taken in ${truth.nameOf(id)} of a stranger`),
    );
    this.#sql(place, OF_REMOVED, (id) =>
      violated('S12', `${who} lets ${truth.nameOf(id)} count, whose author was removed before`),
    );
    this.#sql(
      place,
      'SELECT lower(hex(id)) AS id FROM event WHERE identity = :identity AND body IS NULL AND superseded = 0',
      (id) => {
        const written = truth.written.get(id);
        if (written === undefined) return;
        const right_ms = EPOCH_MS + sim.timeline.now_ms;
        if (!truth.mayBeDead(id, right_ms) && !this.#mayComeBack(id) && !this.#mayBeEarly(machine))
          violated('S8', `${who} has ${written.label} as dead, which nobody deleted`);
        if (written.expires_ms > now_ms) seen.gone.add(id);
      },
    );
    for (const message_id of seen.shown.keys()) {
      const written = truth.written.get(message_id)!;
      if (shown.has(message_id) || written.expires_ms <= now_ms || seen.gone.has(message_id)) continue;
      if (truth.mayBeDead(message_id, now_ms) || this.#mayComeBack(message_id)) continue;
      if (sim.isOut(place) || this.hadAWrongClock(machine)) continue;
      violated('S5', `${who} cannot show ${written.label} any more`);
    }
    this.#sql(place, LOCKED, (id, row) => {
      if (sim.isOut(place)) return;
      violated('S4', `${who} holds no key any more for ${truth.nameOf(id)} (${String(row.place)})`);
    });
    seen.shown.clear();
    for (const [message_id, version] of shown) seen.shown.set(message_id, version);
  }

  /** S17: what waits of one author is bounded. S12: from here on, nothing goes to whom this machine knows to be removed. */
  #bounded(place: Place): void {
    const { machine, identity } = place;
    const most = machine
      .db()
      .prepare(
        `SELECT count(*) AS waiting FROM waiting WHERE identity = :identity GROUP BY author ORDER BY waiting DESC LIMIT 1`,
      )
      .get({ identity })?.waiting;
    if (Number(most ?? 0) > limits.waiting_per_author_max)
      violated('S17', `${String(most)} events of one author wait on ${machine.name}`);
    if (this.#sim.truth.removed.size === 0) return;
    const cut = `SELECT DISTINCT device FROM cut WHERE identity = :identity AND group_id = x''`;
    const devices = machine.db().prepare(cut).all({ identity });
    const key = `${machine.name} ${identity}`;
    const before = this.#removed.get(key);
    const now_ms = machine.clock.wall_ms();
    this.#removed.set(
      key,
      new Map(
        devices.map(({ device }) => {
          const device_id = (device as Uint8Array).toHex();
          return [device_id, before?.get(device_id) ?? now_ms];
        }),
      ),
    );
  }

  /** Where somebody was removed, deletions and edits of theirs may not count after all. */
  #mayComeBack(message_id: Id): boolean {
    const { truth } = this.#sim;
    return truth.removed.size > 0 || truth.written.get(message_id) === undefined;
  }

  #sql(place: Place, sql: string, each: (id: Id, row: Record<string, unknown>) => void): void {
    const db = place.machine.db();
    for (const row of db
      .prepare(sql)
      .all({ identity: place.identity, now_ms: place.machine.clock.wall_ms() }))
      each(row.id as Id, row);
  }

  /** S20: the highest time that was believed never falls, unless it was wrong, and others have said so. */
  #time(machine: Machine): void {
    const highest = machine.runtime.scheduler.highestMs();
    const before = this.#highest.get(machine.name) ?? 0;
    if (highest < before && !this.#far.has(machine.name))
      violated('S20', `${machine.name} forgot how late it is`);
    if (machine.runtime.scheduler.clockStatus().suspect) this.#sim.marks.seen('a clock was suspect');
    this.#highest.set(machine.name, Math.max(highest, this.#far.has(machine.name) ? 0 : before));
  }

  /** S15, F26: no handler, job or reflector throws while the disk is well. */
  #noFailures(machine: Machine): void {
    const { engine } = machine.runtime;
    const since = this.#entries.get(machine.runtime) ?? 0;
    const entries = engine.trace.read(10_000, since);
    this.#entries.set(machine.runtime, (entries.at(-1)?.entry ?? since - 1) + 1);
    if (machine.disk.faults_met > 0) return;
    // What others say may make no sense: the one envelope fails, with a word for it.
    const failed = entries.filter(
      ({ outcome, why }) => outcome === 'failed' && !why?.startsWith('bad_reconciliation'),
    );
    if (failed.length > 0)
      violated(
        'S15',
        `${machine.name}: ${failed.map(({ handler, type, why }) => `${handler} ${type}: ${why}`).join('; ')}`,
      );
  }

  /** S11: no word of what people wrote is in any file. */
  nothingInPlain(machine: Machine): void {
    for (const file of machine.disk.files())
      if (file.includes(marker)) violated('S11', `there are words of people on the disk of ${machine.name}`);
  }

  /** S10: of a secret whose erasure was receipted, nothing is in any file. */
  nothingOf(machine: Machine, secret: Uint8Array, what: string): void {
    const files = machine.disk.files();
    for (const window of windows(secret))
      for (const file of files)
        if (file.includes(window)) violated('S10', `bytes of ${what} are on the disk of ${machine.name}`);
  }

  /** What was opened once is not kept in memory: whether it opens is asked of the keys. */
  forgetOpened(): void {
    for (const { machine } of this.#sim.places())
      for (const { versions } of this.#sim.truth.written.values())
        for (const { event_id } of versions) forgetOpened(machine.db(), event_id);
  }

  /** S19: what a command has acknowledged is there, alive or as a tombstone. */
  nothingAcknowledgedLost(place: Place): void {
    const device_id = place.machine.runtime.engine.identity(place.identity)?.device_id ?? '';
    if (this.#sim.isOut(place) || this.#sim.truth.removed.has(device_id)) return;
    for (const event_id of this.#acknowledged.get(place.key) ?? []) {
      const sql = 'SELECT 1 AS found FROM event WHERE identity = :identity AND id = :id';
      const params = { identity: place.identity, id: Uint8Array.fromHex(event_id) };
      const found =
        place.machine.db().prepare(sql).get(params) ??
        place.machine
          .db()
          .prepare('SELECT 1 AS found FROM waiting WHERE identity = :identity AND id = :id')
          .get(params);
      if (found === undefined && !this.#isGoneForGood(event_id))
        violated(
          'S19',
          `${place.machine.name} has lost ${this.#sim.truth.nameOf(event_id)}, which it had acknowledged`,
        );
    }
  }

  /** Headers of what has expired go after a while. */
  #isGoneForGood(event_id: Id): boolean {
    const written = this.#sim.truth.written.get(event_id);
    return written === undefined || written.expires_ms < Number.MAX_SAFE_INTEGER;
  }
}
