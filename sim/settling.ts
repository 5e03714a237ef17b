/** Faults are over: all machines that are left are on, in touch, and have the right time. Now there has to be progress, and then silence. */
import type { Db } from '../core/db.ts';
import type { Id } from '../core/fields.ts';
import { encodeEventItem, encodeFrame } from '../core/frame-codec.ts';
import { checkIntegrity } from '../hosts/node/integrity.ts';
import { KEYS_ASKED_MAX } from '../protocols/quiet/events/sync/schema.ts';
import { usesOfPrekeys } from './forge.ts';
import { STRANGER } from './hostile.ts';
import { EPOCH_MS } from './machine.ts';
import { pairOf, QUIET, type Traffic } from './network.ts';
import { Owed } from './owed.ts';
import { replayed } from './replay.ts';
import { PACES, spans } from './scenario.ts';
import type { Place, Simulation } from './simulation.ts';
import { violated } from './truth.ts';

const { SECOND_MS, MINUTE_MS, DAY_MS } = spans;

const SIZES = `
  SELECT (SELECT count(*) FROM event WHERE identity = :identity) AS events, (SELECT count(*) FROM event WHERE identity = :identity AND body IS NULL) AS dead,
    (SELECT count(*) FROM wrap) AS wraps, (SELECT count(*) FROM waiting) AS waiting`;

const EVENTS = 'SELECT count(*) AS events, max(n) AS last FROM event WHERE identity = :identity';

/** So many rounds of sync are listened to, and so many times until it is quiet: devices say some minutes after each deletion that they have forgotten it. */
const QUIET_ROUNDS = 2;
const QUIET_ATTEMPTS = 12;
/** In one round, both sides together. */
const MESSAGES_MAX = 4;
const BYTES_MAX = 1_500;
/** A key's name, in each of the two requests that a round may take. */
const AWAITED_BYTES = 2 * 34;
const AWAITED = `
  SELECT count(DISTINCT f.missing) AS awaited FROM waiting w JOIN waiting_for f ON f.waiting = w.n
  WHERE w.identity = :identity AND w.rule = 'key_missing'`;
/** Bytes for each that a stranger sends. */
const ANSWER_TO_STRANGERS_MAX = 3;
const NOTHING: Traffic = { messages: 0, bytes: 0 };

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

export class Settling {
  readonly #sim: Simulation;
  readonly #factor: number;
  readonly #owed: Owed;

  constructor(sim: Simulation, factor: number) {
    this.#sim = sim;
    this.#factor = factor;
    this.#owed = new Owed(sim, factor);
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
      const found = this.#owed.first();
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
    for (const place of this.#owed.members().flat()) sim.checks.verdicts.look(place);
    for (const machine of sim.on) sim.checks.nothingInPlain(machine);
    this.#noteUses();
    // F19: who has proved nothing gets little more than it gives, whatever it asks.
    const { sent = 0, received = 0 } = sim.network.of_machines.get(STRANGER) ?? {};
    if (received > ANSWER_TO_STRANGERS_MAX * sent)
      violated('S17', `strangers have sent ${sent} bytes, and got ${received}`);
    await this.#silence();
    await this.#whole();
  }

  /** What has happened to prekeys meanwhile, and nobody noticed. */
  #noteUses(): void {
    const { on, marks } = this.#sim;
    for (const machine of on) {
      if (usesOfPrekeys({ db: machine.db() }).some(({ givers }) => givers > 1))
        marks.seen('two devices gave keys by one prekey');
      const { counters } = machine.runtime.engine.pipeline;
      if ([...counters.keys()].some((name) => name.startsWith('key_not_opened')))
        marks.seen('a key did not open');
    }
  }

  /** S16: what comes once more changes nothing. S1, S2, S3, S6: each record is what it has to be, and the projections are what the records lead to. */
  async #whole(): Promise<void> {
    const sim = this.#sim;
    for (const places of this.#owed.members()) {
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
    const [machine] = sim.on;
    if (machine === undefined) return;
    const now_ms = machine.clock.wall_ms();
    const { problems } = await checkIntegrity(machine.db(), sim.protocol, () => undefined, now_ms);
    const [problem] = problems;
    if (problem !== undefined)
      violated('S1', `on ${machine.name}: ${sim.truth.nameOf(problem.event_id ?? '')}: ${problem.problem}`);
    const different = replayed(machine.db(), sim.protocol, now_ms, sim.chance('replay'));
    if (different !== null) violated('S1', `on ${machine.name}, heard in another order: ${different}`);
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

  /** L8: two devices that agree say next to nothing to each other. L9: nothing is sealed anew any more. Whatever is still on its way has some rounds to arrive. */
  async #silence(): Promise<void> {
    const sim = this.#sim;
    const { sync_ms } = PACES[sim.pace];
    let said = '';
    for (let attempt = 0; attempt < QUIET_ATTEMPTS; attempt++) {
      const [lines_before, events_before, rekeyed_before] = this.#noise();
      await sim.pass(QUIET_ROUNDS * sync_ms * Math.max(1, this.#factor));
      const [lines, events, rekeyed] = this.#noise();
      if (rekeyed !== rekeyed_before)
        said = `L9: there are ${rekeyed - rekeyed_before} instructions to seal anew, and nothing is owed`;
      else if (events !== events_before) said = `L8: it does not become quiet: ${events_before}, ${events}`;
      else {
        const loud = this.#pairs().map(([pair, { networks, awaited }]) => {
          const [before, now] = [lines_before.get(pair) ?? NOTHING, lines.get(pair) ?? NOTHING];
          const [messages, bytes] = [now.messages - before.messages, now.bytes - before.bytes];
          const most = (QUIET_ROUNDS * networks) / Math.min(1, this.#factor);
          // Each side begins a round, and is answered at the most; some room for what comes by the clock.
          return messages > most * MESSAGES_MAX || bytes > most * (BYTES_MAX + awaited * AWAITED_BYTES)
            ? `${pair}: ${messages} messages, ${bytes} bytes in ${QUIET_ROUNDS} rounds`
            : '';
        });
        const [first] = loud.filter((text) => text !== '');
        if (first === undefined) return;
        said = `L8: they agree, and go on talking: ${first}`;
      }
    }
    violated(said.slice(0, 2), said.slice(4));
  }

  /** Pairs of machines that share networks: how many, and how many keys are asked for in each round by both, which may be names of somebody's making. */
  #pairs(): [string, { networks: number; awaited: number }][] {
    const pairs = new Map<string, { networks: number; awaited: number }>();
    const awaitedBy = ({ machine, identity }: Place) =>
      Math.min(KEYS_ASKED_MAX, Number(machine.db().prepare(AWAITED).get({ identity })?.awaited));
    for (const places of this.#owed.members())
      for (const [at, one] of places.entries())
        for (const other of places.slice(at + 1)) {
          if (one.machine === other.machine) continue;
          const pair = pairOf(one.machine.name, other.machine.name);
          const { networks, awaited } = pairs.get(pair) ?? { networks: 0, awaited: 0 };
          pairs.set(pair, {
            networks: networks + 1,
            awaited: awaited + awaitedBy(one) + awaitedBy(other),
          });
        }
    return [...pairs];
  }

  /** What was said until now on each line, how many events there are, and how often something was sealed anew. */
  #noise(): [Map<string, Traffic>, string, number] {
    const sim = this.#sim;
    const lines = new Map([...sim.network.lines].map(([pair, traffic]) => [pair, { ...traffic }]));
    const sizes = sim.places().map(({ machine, identity, key }) => {
      const { events, last } = machine.db().prepare(EVENTS).get({ identity }) ?? {};
      return `${key.split(' ')[0]} ${String(events)} (${String(last)})`;
    });
    return [lines, sizes.join(), sim.marks.counts.get('events were sealed anew') ?? 0];
  }
}
