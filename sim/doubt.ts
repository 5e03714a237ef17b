/**
 * Whose words may stop counting, or begin to. A removal takes away what the removed wrote after the last event that it names, in whatever order things
 * arrive; with it goes what others did by a right that these had given them, and who was let in by them. So a deletion of theirs may turn out to be none,
 * and what it had deleted comes back; that is as it should be. Everything else has to stay as it is.
 */
import type { Id } from '../core/fields.ts';
import type { Simulation } from './simulation.ts';
import type { Written } from './truth.ts';

/** Who has let in whom, or given them a right, or put them into a group: devices. */
const LED_IN = `
  SELECT lower(hex(e.author)) AS giver, lower(hex(p.device)) AS taker FROM admit a JOIN event e ON e.n = a.event JOIN peer p ON a.joiner IN (p.event, p.user)
  UNION SELECT lower(hex(e.author)), lower(hex(p.device)) FROM right_grant r JOIN event e ON e.n = r.event JOIN peer p ON p.user = r.user
  UNION SELECT lower(hex(e.author)), lower(hex(p.device)) FROM group_member g JOIN event e ON e.n = g.event JOIN peer p ON p.user = g.user`;
const AUTHOR = 'SELECT lower(hex(author)) AS author FROM event WHERE id = :id LIMIT 1';

export class Doubt {
  readonly #sim: Simulation;
  /** All that was ever seen of it, on any machine. */
  readonly #led_in = new Map<Id, Set<Id>>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** Whether something that was deleted may come back, or something that was there may go, because of who has done it. */
  isDoubtful(written: Written | undefined): boolean {
    const { truth } = this.#sim;
    // What somebody hostile wrote is her affair.
    if (written === undefined) return true;
    if (truth.removed.size === 0) return false;
    const group_id = truth.group_of.get(written.channel_id);
    const concerned = [
      written.author,
      ...written.versions.map(({ by }) => by),
      ...written.deleted_by,
      ...(truth.deleted_channels.get(written.channel_id) ?? []),
      ...((group_id !== undefined && truth.deleted_groups.get(group_id)) || []),
      ...this.#makersOf(written.channel_id),
      ...(group_id === undefined || group_id === written.network_id ? [] : this.#makersOf(group_id)),
    ];
    return this.isOfDoubtful(concerned);
  }

  /** Whether what one of these devices has done may count no more. */
  isOfDoubtful(devices: Iterable<Id>): boolean {
    const doubtful = this.#devices();
    return [...devices].some((device) => doubtful.has(device));
  }

  #makersOf(event_id: Id): Id[] {
    const id = Uint8Array.fromHex(event_id);
    return this.#sim.on.flatMap((machine) => {
      const row = machine.db().prepare(AUTHOR).get({ id });
      return row === undefined ? [] : [row.author as Id];
    });
  }

  /** Everybody whose removal was ordered, or whose rights were taken back, and all that these have led in. */
  #devices(): ReadonlySet<Id> {
    for (const machine of this.#sim.on)
      for (const { giver, taker } of machine.db().prepare(LED_IN).all()) {
        const of_giver = this.#led_in.get(giver as Id) ?? new Set();
        this.#led_in.set(giver as Id, of_giver.add(taker as Id));
      }
    const doubtful = new Set(this.#sim.truth.removed);
    for (const device of doubtful) for (const led of this.#led_in.get(device) ?? []) doubtful.add(led);
    return doubtful;
  }
}
