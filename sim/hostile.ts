/**
 * Hostile members and strangers. Mallory is a member: an honest machine runs for her as for anybody, and besides she speaks with code of her own, under
 * the same device key, over connections that she dials herself, from anywhere, whoever is cut off from whom. What she has heard once she keeps, also
 * when her machine is off, set back or gone, or she herself is removed. Strangers know where somebody listens, and perhaps which network there is.
 */
import type { Id } from '../core/fields.ts';
import type { Connection } from '../core/transport.ts';
import { type Signer, signerFromSeed } from '../crypto/sign.ts';
import { secureInitiator } from '../transport/noise.ts';
import type { Chance } from './chance.ts';
import { deviceSecretOf, heldKeysOf, prekeysOf, storedEventsOf } from './forge.ts';
import { EPOCH_MS } from './machine.ts';
import { KINDS, type Known, Malice, saidByStranger } from './malice.ts';
import { spans } from './scenario.ts';
import type { Place, Simulation } from './simulation.ts';

const { SECOND_MS } = spans;

/** Where they sit on the simulated network: no cut is between them and anybody. */
const MALLORY = 'mallory';
export const STRANGER = 'stranger';
/** Events and frames that she remembers at the most, and events that she looks up at a time. */
const HEARD_MAX = 600;
const LOOKED_UP = 200;
const FRAMES_MAX = 100;
const DIAL_MS = 5_000;
/** So long it is looked what a victim refuses: the session is over by then. */
const WATCHED_MS = 20 * SECOND_MS;
/** Of so many things that are done, some are done by strangers. */
const STRANGE = 3;

interface Victim {
  readonly place: Place;
  readonly device_id: Id;
}

export class Hostile {
  readonly #sim: Simulation;
  #known: Known | null = null;
  /** Whose machine is hers. */
  #machine = '';

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  act(pick: number): void {
    const chance = this.#sim.chance(`hostile ${pick}`);
    this.#known ??= this.#choose();
    if (this.#known !== null) this.#learn(this.#known);
    const kind = KINDS[pick % (KINDS.length + STRANGE)];
    if (this.#known === null || kind === undefined) this.#strange(chance);
    else this.#malign(this.#known, kind, chance);
  }

  // --- Mallory --------------------------------------------------------------------------------------------------------------------------------

  /** The last to come, who is no device of the founder's: never without others who are honest. */
  #choose(): Known | null {
    const sim = this.#sim;
    if (sim.on.length < 3) return null;
    for (const place of sim.places().reverse()) {
      const { machine, identity, network_id } = place;
      try {
        const { device_id } = machine.runtime.engine.identity(identity)!;
        if (sim.isOut(place) || sim.truth.doubled.has(device_id)) continue;
        const userOf = (of: Id) =>
          sim.query<{ user_id: Id }>(place, 'get_user_of_device', { device_id: of })[0]?.user_id;
        const founder = sim.query<{ device_id: Id }>(place, 'get_network_creator')[0]?.device_id;
        const [founder_user, user] = [founder === undefined ? founder : userOf(founder), userOf(device_id)];
        if (founder === undefined || founder_user === undefined || user === undefined) continue;
        if (user === founder_user) continue;
        const secret = deviceSecretOf({ engine: machine.runtime.engine, db: machine.db() }, identity);
        sim.say(`${machine.name} turns hostile`);
        sim.hostile_devices.add(device_id);
        this.#machine = machine.name;
        return {
          network_id,
          device_id,
          secret,
          founder: { user_id: founder_user, device_id: founder },
          keys: new Map(),
          heard: new Map(),
          of_others: [],
          frames: [],
          said: [],
          channels: [],
          prekeys: new Map(),
          last_seq: 0,
        };
      } catch (thrown) {
        sim.excused(machine, thrown, null);
      }
    }
    return null;
  }

  /** What her machine knows by now, if it is on; and of other networks, what she has recorded on the way. */
  #learn(known: Known): void {
    const sim = this.#sim;
    for (const place of sim.places()) {
      const { machine, identity, network_id } = place;
      const is_hers = machine.name === this.#machine && network_id === known.network_id;
      if (!is_hers && (network_id === known.network_id || known.of_others.length >= LOOKED_UP)) continue;
      try {
        const home = { engine: machine.runtime.engine, db: machine.db() };
        if (!is_hers) {
          known.of_others.push(...storedEventsOf(home, identity, 10));
          continue;
        }
        for (const key of heldKeysOf(home, identity)) known.keys.set(key.key_id, key);
        for (const stored of storedEventsOf(home, identity, LOOKED_UP)) {
          known.heard.set(stored.event_id, stored);
          if (known.heard.size > HEARD_MAX) known.heard.delete(known.heard.keys().next().value!);
        }
        known.channels = sim.query<{ channel_id: Id; group_id: Id }>(place, 'get_channels');
        known.prekeys = prekeysOf(home, identity);
        const sql =
          'SELECT max(seq) AS seq FROM event WHERE identity = :identity AND author = :author AND group_n IS NULL';
        const row = home.db.prepare(sql).get({ identity, author: Uint8Array.fromHex(known.device_id) });
        known.last_seq = (row?.seq as number | null) ?? 0;
      } catch (thrown) {
        sim.excused(machine, thrown, null);
      }
    }
  }

  #victims(network_id: Id, chance: Chance): Victim[] {
    const all: Victim[] = [];
    for (const place of this.#sim.places()) {
      const { machine, identity } = place;
      if (place.network_id !== network_id || machine.name === this.#machine) continue;
      try {
        const { device_id } = machine.runtime.engine.identity(identity)!;
        if (device_id !== this.#known?.device_id) all.push({ place, device_id });
      } catch (thrown) {
        this.#sim.excused(machine, thrown, null);
      }
    }
    return chance.shuffled(all).slice(0, chance.between(1, 3));
  }

  #malign(known: Known, kind: string, chance: Chance): void {
    const sim = this.#sim;
    const victims = this.#victims(known.network_id, chance);
    sim.say(`mallory: ${kind}, to ${victims.map(({ place }) => place.machine.name).join(', ') || 'nobody'}`);
    if (victims.length === 0) return;
    const signer = signerFromSeed(known.secret);
    const malice = new Malice(known, signer, chance, EPOCH_MS + sim.timeline.now_ms);
    const frames = malice.say(
      kind,
      victims.map(({ device_id }) => device_id),
    );
    known.frames.push(...frames.flat());
    known.frames.splice(0, known.frames.length - FRAMES_MAX);
    this.#makeWay(known);
    const told = victims.map((victim, at) => {
      this.#watch(victim, malice.made);
      return this.#tell(MALLORY, victim, { signer, network_id: known.network_id }, frames[at]!, chance);
    });
    void Promise.all(told).finally(() => signer.destroy());
  }

  /** A victim that is in a session with her machine might not want a second one: she ends them. */
  #makeWay({ network_id }: Known): void {
    const machine = this.#sim.machines.get(this.#machine);
    if (machine === undefined || !machine.is_on) return;
    try {
      for (const place of this.#sim.places([machine]))
        if (place.network_id === network_id) machine.runtime.sessions.end(place.identity, 'hostile');
    } catch (thrown) {
      this.#sim.excused(machine, thrown, null);
    }
  }

  /** Counts what a victim refuses of what was forged, or of bytes that nobody honest sends. */
  #watch({ place }: Victim, made: ReadonlySet<Id>): void {
    const { marks, timeline } = this.#sim;
    const stop = place.machine.runtime.engine.trace.follow(({ outcome, cause, stage, event_id }) => {
      if (outcome !== 'reject' || cause.kind !== 'session') return;
      if (stage === 'frame' || stage === 'header' || (event_id !== null && made.has(event_id)))
        marks.seen('a hostile frame was refused');
    });
    timeline.after(WATCHED_MS, stop);
  }

  // --- strangers --------------------------------------------------------------------------------------------------------------------------------

  #strange(chance: Chance): void {
    const sim = this.#sim;
    const places = sim.places();
    if (places.length === 0) return;
    const { network_id } = chance.pick(places);
    const [victim] = this.#victims(network_id, chance);
    if (victim === undefined) return;
    const { name, address } = victim.place.machine;
    const way = chance.below(4);
    if (way === 0) {
      sim.say(`somebody is silent to ${name}, many times over`);
      for (let count = chance.between(5, 60); count > 0; count--) this.#call(address, [], chance);
    } else if (way === 1) {
      sim.say(`somebody sends garbage to ${name}`);
      for (let count = chance.between(1, 20); count > 0; count--) {
        const version = chance.holds(0.7) ? [1] : [];
        const length = chance.pick([0, 48, 80, 96, 200, 2_000]);
        const first = Uint8Array.from([...version, ...chance.bytes(length)]);
        this.#call(address, [first, chance.bytes(chance.below(200))], chance);
      }
    } else {
      // Who knows the network gets a session, who does not gets none.
      const is_known = way === 2 || chance.holds(0.5);
      sim.say(`a stranger who knows ${is_known ? 'the' : 'no'} network speaks to ${name}`);
      const signer = signerFromSeed(chance.bytes(32));
      const as = { signer, network_id: is_known ? network_id : chance.bytes(32).toHex() };
      const frames = saidByStranger(signer, as.network_id, chance, EPOCH_MS + sim.timeline.now_ms);
      this.#watch(victim, new Set());
      void this.#tell(STRANGER, victim, as, frames, chance).finally(() => signer.destroy());
    }
  }

  // --- how anything is said ---------------------------------------------------------------------------------------------------------------------

  /** Opens a session, sends the frames in it one after the other, heeds no answer, and goes after a while. Never rejects. */
  async #tell(
    from: string,
    { place, device_id }: Victim,
    { signer, network_id }: { readonly signer: Signer; readonly network_id: Id },
    frames: readonly Uint8Array[],
    chance: Chance,
  ): Promise<void> {
    const { timeline, network } = this.#sim;
    const pace_ms = chance.pick([0, 0, 5, 40]);
    const stays_ms = chance.between(1, 8) * SECOND_MS;
    try {
      const connection = await network.transport(from).dial(place.machine.address, { timeout_ms: DIAL_MS });
      const local = { network_id: Uint8Array.fromHex(network_id), signer };
      const secure = await secureInitiator(connection, local, Uint8Array.fromHex(device_id), {
        timeout_ms: DIAL_MS,
        random: chance,
        timers: { set: (run, delay_ms) => timeline.after(delay_ms, run) },
      });
      secure.on_frame = () => undefined;
      secure.on_close = () => undefined;
      frames.forEach((frame, at) => {
        timeline.after(at * pace_ms, () => secure.send(frame));
      });
      timeline.after(frames.length * pace_ms + stays_ms, () => secure.close());
    } catch {
      // The victim is off, or does not want her.
    }
  }

  /** A connection on which some bytes are sent as they are, and nothing is proved. */
  #call(address: string, messages: readonly Uint8Array[], chance: Chance): void {
    const { timeline, network } = this.#sim;
    const stays_ms = chance.between(1, 20) * SECOND_MS;
    const speak = (connection: Connection) => {
      connection.on_message = () => undefined;
      connection.on_close = () => undefined;
      for (const message of messages) connection.send(message);
      timeline.after(stays_ms, () => connection.close());
    };
    network
      .transport(STRANGER)
      .dial(address, { timeout_ms: DIAL_MS })
      .then(speak)
      .catch(() => undefined);
  }
}
