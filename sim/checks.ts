/**
 * What must hold at every moment, by the numbers of `docs/testing.md`. Each check sees the whole world: all that was written, all keys, all disks. Here are
 * those that are told of what happens; what a machine shows is in `shown.ts`, who was removed in `removed.ts`, time in `clock-watch.ts`.
 */

import type { CommandResult } from '../core/engine.ts';
import type { Id } from '../core/fields.ts';
import {
  decodeFrame,
  encodeEventItem,
  encodeFrame,
  encodeHeaderItem,
  type FrameItem,
} from '../core/frame-codec.ts';
import { limits } from '../core/limits.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { TraceEntry } from '../core/trace.ts';
import type { Runtime } from '../hosts/runtime.ts';
import { forgetOpened } from '../protocols/quiet/handlers/content.ts';
import { ClockWatch } from './clock-watch.ts';
import { Doubt } from './doubt.ts';
import { differenceOf, dumpOf } from './dump.ts';
import type { Machine } from './machine.ts';
import { runTwice } from './purity.ts';
import { Removed } from './removed.ts';
import { isTraceIn } from './secrets.ts';
import { Shown } from './shown.ts';
import type { Place, Simulation } from './simulation.ts';
import { MARKER, type Seen, Violation, violated } from './truth.ts';
import { Verdicts } from './verdicts.ts';

/** What a node tells itself because of what others say. */
const OWN_INSTRUCTIONS: ReadonlySet<string> = new Set(['standing', 'minted']);
const HERE = `
  SELECT expires_ms FROM event WHERE identity = :identity AND id = :id
  UNION ALL SELECT expires_ms FROM waiting WHERE identity = :identity AND id = :id
  UNION ALL SELECT 9007199254740991 FROM refused WHERE identity = :identity AND id = :id LIMIT 1`;
const NETWORK = 'SELECT lower(hex(network_id)) AS network_id FROM identity WHERE identity = :identity';
const KEYS = `
  SELECT 1 AS found FROM identity WHERE device = :id UNION ALL SELECT 1 FROM prekey_secret WHERE public_key = :id
  UNION ALL SELECT 1 FROM group_key WHERE id = :id LIMIT 1`;
const MOST_WAITING = `
  SELECT count(*) AS waiting FROM waiting WHERE identity = :identity GROUP BY author ORDER BY waiting DESC LIMIT 1`;
/** What has no body any more, with the devices whose deletions and edits this is by: of it, or of what it hangs on. */
const ERASED = `
  WITH RECURSIVE erased (n, by) AS (
    SELECT t.n, d.author FROM aimed_at a JOIN event d ON d.n = a.event JOIN event t ON t.identity = d.identity AND t.id = a.target
      WHERE d.identity = :identity
    UNION SELECT o.event, e.by FROM erased e JOIN depends_on o ON o.target = e.n)
  SELECT lower(hex(t.id)) AS id, lower(hex(e.by)) AS by FROM erased e JOIN event t ON t.n = e.n WHERE t.body IS NULL`;
const ERASERS = `
  SELECT count(*) || ' ' || coalesce(max(event), 0) || ' ' || (SELECT coalesce(max(n), 0) FROM event) AS state FROM aimed_at`;
/** Of the frames that a machine hears twice, one of so many is looked at: it takes reading everything. */
const COMPARED_EVERY = 4;

const marker = Buffer.from(MARKER);

export class Checks {
  readonly clocks: ClockWatch;
  readonly doubt: Doubt;
  readonly verdicts: Verdicts;
  readonly #sim: Simulation;
  readonly #shown: Shown;
  readonly #removed: Removed;
  /** By place: what was acknowledged there, with its expiry, and must be there after whatever happens to the process. */
  readonly #acknowledged = new Map<string, Map<Id, number>>();
  /** By place: what was erased there, with the devices that this is by. */
  readonly #erased_by = new Map<string, { readonly state: unknown; readonly of: ReadonlyMap<Id, Set<Id>> }>();
  readonly #entries = new Map<Runtime, number>();
  #looks = 0;
  #frames = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
    this.clocks = new ClockWatch(sim);
    this.doubt = new Doubt(sim);
    this.verdicts = new Verdicts(sim);
    this.#shown = new Shown(sim);
    this.#removed = new Removed(sim);
  }

  // --- told of what happens -----------------------------------------------------------------------------------------------------------------------

  booted(machine: Machine, runtime: Runtime): void {
    const { engine } = runtime;
    engine.trace.follow((entry) => this.#traced(machine, entry));
    runTwice(engine.pure, machine.tape, machine.name, (found) => this.#sim.note(found));
    this.#hearTwice(machine, runtime);
    if (machine.crashes > 0) this.#entries.set(runtime, 0);
    // L5: what was being erased when a process ended is finished before the next does anything.
    const { open } = engine.query('get_open_purges', {}, 0)[0] as { readonly open: number };
    if (open > 0)
      this.#sim.note(new Violation('L5', `${machine.name} begins with ${open} erasures unfinished`));
    for (const place of this.#sim.places([machine])) this.#noted(() => this.nothingAcknowledgedLost(place));
  }

  /** S9: what is local is not done because another device says so. */
  #traced(machine: Machine, entry: TraceEntry): void {
    this.#sim.marks.traced(entry);
    const { cause, stage, handler, type, outcome } = entry;
    // What a judgement or a new key leads to goes under the cause of what led to it.
    const is_said =
      cause.kind === 'session' && stage === 'valid' && handler === 'validate' && outcome === 'advance';
    if (is_said && type !== null && this.#sim.isLocal(type) && !OWN_INSTRUCTIONS.has(type))
      this.#sim.note(new Violation('S9', `${machine.name} does what another device tells it to: ${type}`));
  }

  /** S16: of a machine that hears every frame twice, what it says a second time changes nothing. */
  #hearTwice(machine: Machine, { engine }: Runtime): void {
    const receive = engine.receive.bind(engine);
    engine.receive = (identity, session, bytes) => {
      const first = receive(identity, session, bytes);
      if (!machine.hears_twice) return first;
      this.#sim.marks.seen('a frame was heard twice');
      const is_compared = this.#frames++ % COMPARED_EVERY === 0;
      const before = is_compared ? dumpOf(machine.db()) : null;
      if (is_compared) receive(identity, session, withoutQuestions(bytes));
      const difference = before === null ? null : differenceOf(before, dumpOf(machine.db()));
      receive(identity, session, bytes);
      if (difference !== null)
        this.#sim.note(
          new Violation('S16', `${machine.name} is changed by what it hears once more: ${difference}`),
        );
      return first;
    };
  }

  #noted(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#sim.note(thrown);
    }
  }

  logged(machine: Machine, level: string, event: string, details: object): void {
    const { marks } = this.#sim;
    if (event === 'session_opened') marks.seen('a session began anew');
    if (event === 'handshakes_failed' || event === 'dial_failed') marks.seen('a handshake failed');
    if (event === 'frame_not_taken_in') marks.seen('a frame was not taken in');
    if (event === 'purge_waits_for_a_reader') marks.seen('an erasure waited for a reader');
    if (event === 'purged') {
      if (!machine.is_up) marks.seen('a purge was finished at the next start');
      if (machine.disk.is_read)
        this.#sim.note(
          new Violation('S10', `${machine.name} has a receipt while somebody reads what there was before`),
        );
      this.#noted(() => this.#erased(machine));
    }
    const is_excused = machine.disk.is_dead || machine.disk.faults_met > 0;
    if (is_excused) marks.seen('a disk failed');
    else if (level === 'error' || /not_taken_in|not_opened|close_failed/.test(event))
      this.#sim.note(
        new Violation('F3', `${machine.name}: ${event} ${JSON.stringify(details)}, and its disk is well`),
      );
  }

  /** S19: what a command has acknowledged is here, and stays. */
  acknowledged(machine: Machine, { identity, event_ids, reply }: CommandResult): void {
    const key = `${machine.name} ${String(machine.db().prepare(NETWORK).get({ identity })?.network_id)}`;
    const all = this.#acknowledged.get(key) ?? new Map();
    this.#acknowledged.set(key, all);
    for (const event_id of event_ids) {
      if (event_id === null || event_id.length !== 64) continue;
      const expires_ms = this.expiryOf({ machine, identity }, event_id);
      // Some of what a command makes is a key, and no event.
      if (expires_ms === undefined && (event_id === reply.public_key || this.#isKey(machine, event_id)))
        continue;
      if (expires_ms === undefined)
        violated('S19', `${machine.name} acknowledges ${event_id.slice(12, 20)}, and has not got it`);
      all.set(event_id, expires_ms);
      this.verdicts.made({ machine, identity }, event_id);
    }
  }

  /** When something expires that is here in whatever state, also where the process has met its end. */
  expiryOf({ machine, identity }: Pick<Place, 'machine' | 'identity'>, event_id: Id): number | undefined {
    const row = machine
      .db()
      .prepare(HERE)
      .get({ identity, id: Uint8Array.fromHex(event_id) });
    return row === undefined ? undefined : (row.expires_ms as number);
  }

  #isKey(machine: Machine, id: Id): boolean {
    const bytes = { id: Uint8Array.fromHex(id) };
    return machine.db().prepare(KEYS).get(bytes) !== undefined;
  }

  committed(machine: Machine, effects: readonly AfterCommit[]): void {
    for (const effect of effects)
      if (effect.effect === 'standing_changed') this.#removed.judged(machine, effect.identity);
    for (const effect of effects) {
      if (effect.effect === 'send') this.#removed.sent(machine, effect);
      if (effect.effect === 'changed') this.#removed.changed(machine, effect);
      if (effect.effect === 'standing_changed') this.#sim.marks.seen('a member was removed');
      if (effect.effect === 'purged') this.#sim.trace(`${machine.name} erased`);
    }
  }

  /** S10: once an erasure is receipted, nothing of what was in the slots is in any file. */
  #erased(machine: Machine): void {
    const in_slots = machine
      .db()
      .prepare('SELECT s.secret FROM key_slot s JOIN key_slot_use u ON u.slot = s.id')
      .all()
      .map((row) => row.secret as Uint8Array);
    const gone = machine.disk.secrets.takeGone(in_slots);
    if (gone.length > 0 && machine.disk.files().some((file) => isTraceIn(file, gone)))
      violated('S10', `bytes of something that was erased are on the disk of ${machine.name}`);
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
      if (key.startsWith(`${machine.name} `)) {
        this.#acknowledged.delete(key);
        this.#erased_by.delete(key);
      }
    for (const [network_id, { shown, gone }] of to)
      truth.seen.set(`${machine.name} ${network_id}`, { shown: new Map(shown), gone: new Set(gone) });
    this.clocks.setBack(machine);
    this.#removed.setBack(machine);
  }

  // --- looked at after every step -----------------------------------------------------------------------------------------------------------------

  lookAtAll(): void {
    this.#looks += 1;
    for (const machine of this.#sim.on) this.look(machine);
  }

  look(machine: Machine): void {
    const sim = this.#sim;
    this.clocks.note();
    try {
      for (const place of sim.places([machine])) {
        this.#shown.look(place);
        this.#bounded(place);
        this.#noteErased(place);
        this.#removed.note(place);
      }
      this.clocks.look(machine);
    } catch (thrown) {
      if (thrown instanceof Violation) throw thrown;
      sim.excused(machine, thrown, null);
    }
    if (machine.disk.gave_secret !== null) throw machine.disk.gave_secret;
    this.#noFailures(machine);
    if (this.#looks % 8 === 0) this.nothingInPlain(machine);
  }

  /** S17: what waits of one author is bounded. */
  #bounded({ machine, identity }: Place): void {
    const most = Number(machine.db().prepare(MOST_WAITING).get({ identity })?.waiting ?? 0);
    if (most > limits.waiting_per_author_max)
      violated('S17', `${most} events of one author wait on ${machine.name}`);
  }

  /** F26: no handler, job or reflector throws while the disk is well. */
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
        'F26',
        `${machine.name}: ${failed.map(({ handler, type, why }) => `${handler} ${type}: ${why}`).join('; ')}`,
      );
  }

  /** S11: no word of what people wrote is in any file. */
  nothingInPlain(machine: Machine): void {
    for (const file of machine.disk.files())
      if (file.includes(marker)) violated('S11', `there are words of people on the disk of ${machine.name}`);
  }

  /** What was opened once is not kept in memory: whether it opens is asked of the keys. */
  forgetOpened(): void {
    for (const { machine } of this.#sim.places())
      for (const { versions } of this.#sim.truth.written.values())
        for (const { event_id } of versions) forgetOpened(machine.connection(), event_id);
  }

  /** Whose deletions and edits have erased what: it may come out that they count no more, and then nothing is left that could tell. */
  #noteErased({ machine, identity, key }: Place): void {
    const state = machine.db().prepare(ERASERS).get({})?.state;
    const known = this.#erased_by.get(key);
    if (known?.state === state) return;
    const of = new Map<Id, Set<Id>>();
    for (const { id, by } of machine.db().prepare(ERASED).all({ identity }))
      of.set(id as Id, (of.get(id as Id) ?? new Set()).add(by as Id));
    // What has come back is not excused a second time.
    for (const [event_id, devices] of known?.of ?? [])
      if (!of.has(event_id) && this.expiryOf({ machine, identity }, event_id) === undefined)
        of.set(event_id, devices);
    this.#erased_by.set(key, { state, of });
  }

  /**
   * S19: what a command has acknowledged is here still: alive, as a tombstone, or waiting for its author's standing. What was erased by a deletion
   * (or an edit) that does not count any more is not, unless others have it still.
   */
  nothingAcknowledgedLost({ machine, identity, key }: Place): void {
    const now_ms = this.clocks.latestMs(machine);
    for (const [event_id, expires_ms] of this.#acknowledged.get(key) ?? []) {
      // What waited until it had expired leaves nothing.
      if (expires_ms <= now_ms || this.expiryOf({ machine, identity }, event_id) !== undefined) continue;
      if (this.doubt.isOfDoubtful(this.#erased_by.get(key)?.of.get(event_id) ?? [])) continue;
      violated(
        'S19',
        `${machine.name} has lost ${this.#sim.truth.nameOf(event_id)}, which it had acknowledged`,
      );
    }
  }
}

/**
 * What a frame says, without what it asks: a question is held against what is there by then, and where the rest of the frame has brought the answer, it
 * is answered as it is heard once more, as it has to be.
 */
function withoutQuestions(frame: Uint8Array): Uint8Array {
  let items: FrameItem[];
  try {
    items = decodeFrame(frame);
  } catch {
    return frame;
  }
  return encodeFrame(
    items.flatMap((item) => {
      if (item.item === 'transient') return [];
      return [
        item.item === 'event' ? encodeEventItem(item.raw) : encodeHeaderItem(item.header, item.signature),
      ];
    }),
  );
}
