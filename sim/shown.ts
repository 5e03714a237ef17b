/**
 * What a machine shows and holds, against what was really written: S2 to S8 and S18, looked after whenever something has happened.
 */
import type { Id } from '../core/fields.ts';
import { EPOCH_MS } from './machine.ts';
import type { Place, Simulation } from './simulation.ts';
import { isOlder, violated } from './truth.ts';

/** Sealed events that live here and cannot be opened: stored ones without a wrap under a key that is held, waiting ones without any wrap. */
const LOCKED = `
  SELECT lower(hex(e.id)) AS id, 'stored' AS place FROM event e
    WHERE e.identity = :identity AND e.sealed = 1 AND e.body IS NOT NULL AND e.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = e.n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL)
  UNION ALL SELECT lower(hex(t.id)), 'waiting' FROM waiting t
    WHERE t.identity = :identity AND t.rule = 'key_missing' AND t.expires_ms > :now_ms
      AND NOT EXISTS (SELECT 1 FROM waiting_wrap v WHERE v.waiting = t.n)`;
/** What is here twice: a store has one place for an id. */
const TWICE = `
  SELECT lower(hex(id)) AS id FROM (
    SELECT id FROM event WHERE identity = :identity UNION ALL SELECT id FROM waiting WHERE identity = :identity
    UNION ALL SELECT id FROM refused WHERE identity = :identity)
  GROUP BY id HAVING count(*) > 1`;
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
const DEAD =
  'SELECT lower(hex(id)) AS id FROM event WHERE identity = :identity AND body IS NULL AND superseded = 0';

interface Row {
  readonly message_id: Id;
  readonly text: unknown;
  readonly author: Id;
}

export class Shown {
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  look(place: Place): void {
    const sim = this.#sim;
    const { truth } = sim;
    const who = place.machine.name;
    const shown = new Map<Id, number>();
    const own = place.machine
      .db()
      .prepare('SELECT 1 AS found FROM event WHERE identity = :identity AND id = :id');
    for (const { channel_id } of sim.query<{ channel_id: Id }>(place, 'get_channels')) {
      if (own.get({ identity: place.identity, id: Uint8Array.fromHex(channel_id) }) === undefined)
        violated('S18', `${who} shows a channel of another network`);
      for (const row of sim.query<Row>(place, 'get_messages', { channel_id, limit: 1_000 })) {
        const version = this.#message(place, channel_id, row);
        if (version !== null) shown.set(row.message_id, version);
      }
    }
    this.#each(place, TWICE, (id) => violated('S2', `${who} has ${truth.nameOf(id)} twice`));
    this.#each(place, OF_STRANGERS, (id) =>
      violated('S3', `${who} has taken in ${truth.nameOf(id)} of a stranger`),
    );
    this.#each(place, OF_REMOVED, (id) =>
      violated('S12', `${who} lets ${truth.nameOf(id)} count, whose author was removed before`),
    );
    this.#dead(place);
    this.#missing(place, shown);
    if (!sim.isOut(place))
      this.#each(place, LOCKED, (id, row) =>
        violated('S4', `${who} holds no key any more for ${truth.nameOf(id)} (${String(row.place)})`),
      );
    const seen = truth.seenBy(place.key);
    seen.shown.clear();
    for (const [message_id, version] of shown) seen.shown.set(message_id, version);
  }

  /** One message that is shown. Returns which version of it; null: it is of somebody hostile. */
  #message(place: Place, channel_id: Id, { message_id, text, author }: Row): number | null {
    const { truth, hostile_devices, checks } = this.#sim;
    const { machine } = place;
    const who = machine.name;
    const written = truth.written.get(message_id);
    if (written === undefined) {
      if (!hostile_devices.has(author)) violated('S3', `${who} shows a message that nobody wrote`);
      return null;
    }
    const { label, versions } = written;
    if (written.network_id !== place.network_id) violated('S18', `${who} shows ${label} in another network`);
    if (written.channel_id !== channel_id) violated('S18', `${who} shows ${label} in another channel`);
    if (written.author !== author) violated('S3', `${who} shows ${label} as by somebody else`);
    if (written.expires_ms <= checks.clocks.latestMs(machine))
      violated('S7', `${who} shows ${label}, which has expired`);
    const seen = truth.seenBy(place.key);
    if (seen.gone.has(message_id) && !checks.doubt.isDoubtful(written))
      violated('S7', `${who} shows ${label} again, which it had seen deleted`);
    if (typeof text !== 'string') violated('S4', `${who} shows ${label} without its text`);
    const version = versions.findIndex((one) => one.text === text);
    if (version === -1)
      violated('S6', `${who} shows ${label} as ${JSON.stringify(text)}, which nobody wrote`);
    const before = seen.shown.get(message_id);
    if (
      before !== undefined &&
      before < versions.length &&
      isOlder(written, version, before) &&
      !checks.doubt.isDoubtful(written)
    )
      violated('S7', `${who} shows an older version of ${label} again`);
    return version;
  }

  /** S8: nothing is dead that nobody has deleted, and that has not expired. */
  #dead(place: Place): void {
    const { truth, checks, timeline } = this.#sim;
    const { machine, key } = place;
    const now_ms = machine.clock.wall_ms();
    const right_ms = EPOCH_MS + timeline.now_ms;
    const seen = truth.seenBy(key);
    this.#each(place, DEAD, (id) => {
      const written = truth.written.get(id);
      if (written === undefined) return;
      if (!truth.mayBeDead(id, right_ms) && !checks.clocks.mayBeEarly(machine))
        violated('S8', `${machine.name} has ${written.label} as dead, which nobody deleted`);
      if (written.expires_ms > now_ms) seen.gone.add(id);
    });
  }

  /** S5: what was shown, and was not deleted since, and has not expired, is shown still. */
  #missing(place: Place, shown: ReadonlyMap<Id, number>): void {
    const { truth, checks } = this.#sim;
    const { machine, key } = place;
    const latest_ms = checks.clocks.latestMs(machine);
    const seen = truth.seenBy(key);
    for (const message_id of seen.shown.keys()) {
      const written = truth.written.get(message_id)!;
      if (shown.has(message_id) || seen.gone.has(message_id) || truth.mayBeDead(message_id, latest_ms))
        continue;
      if (this.#sim.isOut(place) || checks.clocks.mayBeEarly(machine) || checks.doubt.isDoubtful(written))
        continue;
      violated('S5', `${machine.name} cannot show ${written.label} any more`);
    }
  }

  #each(place: Place, sql: string, each: (id: Id, row: Record<string, unknown>) => void): void {
    const { machine, identity } = place;
    const now_ms = machine.clock.wall_ms();
    for (const row of machine.db().prepare(sql).all({ identity, now_ms })) each(row.id as Id, row);
  }
}
