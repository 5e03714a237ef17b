/**
 * S12: whom a machine knows to be removed is sent nothing any more, is given no key, and can read nothing new; and who was never let in is sent no event.
 * S9: what is local is sent to nobody.
 */

import type { Id } from '../core/fields.ts';
import { decodeFrame, encodeFrame } from '../core/frame-codec.ts';
import type { AfterCommit } from '../core/outcome.ts';
import type { Machine } from './machine.ts';
import type { Place, Simulation } from './simulation.ts';
import { violated } from './truth.ts';

/** Devices that an event of this device gives a key to, and those that have a key that it is sealed under. */
const READERS = `
  SELECT e.created_ms, e.author, d.device AS device FROM event e JOIN identity i ON i.identity = e.identity AND i.device = e.author
    JOIN key_delivery d ON d.event = e.n
    WHERE e.identity = :identity AND e.id = :id
  UNION
  SELECT e.created_ms, e.author, x.device FROM event e JOIN identity i ON i.identity = e.identity AND i.device = e.author
    JOIN wrap w ON w.of = e.n AND w.sealed IS NOT NULL JOIN group_key k ON k.n = w.key
    JOIN (SELECT d.key_id, d.device, de.identity FROM key_delivery d JOIN event de ON de.n = d.event
      UNION SELECT d.key_id, de.author, de.identity FROM key_delivery d JOIN event de ON de.n = d.event) x ON x.key_id = k.id AND x.identity = e.identity
    WHERE e.identity = :identity AND e.id = :id`;
const CUT = `SELECT DISTINCT device FROM cut WHERE identity = :identity AND group_id = x''`;
const PEER = `
  SELECT s.device, EXISTS (SELECT 1 FROM member_device m WHERE m.identity = s.identity AND m.device = s.device) AS is_member,
    EXISTS (SELECT 1 FROM member_device m JOIN identity i ON i.identity = m.identity AND i.device = m.device WHERE m.identity = s.identity) AS am_member
  FROM session s WHERE s.identity = :identity AND s.session_id = :session_id`;

export class Removed {
  readonly #sim: Simulation;
  /** By machine and identity: devices that it knew to be removed when it was last looked at, and since when by its clock. */
  readonly #known = new Map<string, ReadonlyMap<Id, number>>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  setBack(machine: Machine): void {
    for (const key of [...this.#known.keys()])
      if (key.startsWith(`${machine.name} `)) this.#known.delete(key);
  }

  /** From here on, nothing goes to whom this machine knows to be removed. */
  note({ machine, identity }: Place): void {
    if (this.#sim.truth.removed.size === 0) return;
    const key = `${machine.name} ${identity}`;
    const before = this.#known.get(key);
    const now_ms = machine.clock.wall_ms();
    const devices = machine
      .db()
      .prepare(CUT)
      .all({ identity })
      .map(({ device }) => (device as Uint8Array).toHex());
    this.#known.set(key, new Map(devices.map((device) => [device, before?.get(device) ?? now_ms])));
  }

  /** Judged anew: who was removed is in again where somebody senior, or heard of later, has removed the one who did it. */
  judged(machine: Machine, identity: number): void {
    const key = `${machine.name} ${identity}`;
    const known = this.#known.get(key);
    if (known === undefined) return;
    const cut = machine.db().prepare(CUT).all({ identity });
    const devices = new Set(cut.map(({ device }) => (device as Uint8Array).toHex()));
    this.#known.set(key, new Map([...known].filter(([device]) => devices.has(device))));
  }

  /** S9: what is local stays here. */
  sent(machine: Machine, { identity, session_id, item }: Extract<AfterCommit, { effect: 'send' }>): void {
    const [sent] = decodeFrame(encodeFrame([item]));
    if (sent?.item === 'transient' && this.#sim.isLocal(sent.type))
      violated('S9', `${machine.name} sends '${sent.type}', which is local`);
    const row = machine.db().prepare(PEER).get({ identity, session_id });
    const device = row?.device;
    if (row === undefined || !(device instanceof Uint8Array)) return;
    if (sent?.item !== 'transient' && row.is_member === 0 && row.am_member === 1)
      violated('S12', `${machine.name} sends events to a device that nobody has let in`);
    const removed = this.#known.get(`${machine.name} ${identity}`);
    if (removed?.has(device.toHex()) === true)
      violated('S12', `${machine.name} sends to a device that it knows to be removed`);
  }

  changed(machine: Machine, { identity, event_id }: Extract<AfterCommit, { effect: 'changed' }>): void {
    const removed = this.#known.get(`${machine.name} ${identity}`);
    if (event_id === null || removed === undefined || removed.size === 0) return;
    const { hostile_devices, truth, checks } = this.#sim;
    // Times that a wrong clock has given tell nothing of what was known when.
    if (checks.clocks.wasEverWrong(machine)) return;
    const readers = machine
      .db()
      .prepare(READERS)
      .all({ identity, id: Uint8Array.fromHex(event_id) });
    for (const { device, author, created_ms } of readers) {
      const made_by = (author as Uint8Array).toHex();
      // Not made here, though under the name of this device: by its owner's other hand, or by its double, which has not heard of it.
      if (hostile_devices.has(made_by) || truth.doubled.has(made_by)) continue;
      const since_ms = removed.get((device as Uint8Array).toHex());
      if (since_ms !== undefined && (created_ms as number) > since_ms)
        violated('S12', `${machine.name} makes what a device can read that it knows to be removed`);
    }
  }
}
