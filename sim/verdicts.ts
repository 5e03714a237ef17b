/**
 * What removals from the network have to lead to in the end, told from who said what, and not from what the program makes of it. Only where it is plain:
 * a removal is *plain* that nobody ever disputed, because nobody says anything against its author, or against a grant that it was done by (against the
 * founder's first device: none of the founder's own). Then whom it removes is out, and with them all that nobody had heard who removed them; what they
 * had said against others afterwards takes nothing from these; and what its author had heard stays.
 */

import type { Id } from '../core/fields.ts';
import { decodeHeader } from '../core/header-codec.ts';
import type { Place, Simulation } from './simulation.ts';
import { violated } from './truth.ts';

const FOUNDER = `SELECT lower(hex(author)) AS device FROM event WHERE identity = :identity AND type = 'network'`;
const DEVICES = `
  SELECT lower(hex(p.device)) AS device, lower(hex(u.id)) AS user, p.invite IS NOT NULL AS is_linked
  FROM peer p JOIN event e ON e.n = p.event JOIN event u ON u.n = p.user WHERE e.identity = :identity`;
const ADMISSIONS = `
  SELECT lower(hex(e.author)) AS author, lower(hex(j.id)) AS user FROM admit a JOIN event e ON e.n = a.event JOIN event j ON j.n = a.joiner
    WHERE e.identity = :identity
  UNION SELECT lower(hex(e.author)), lower(hex(u.id)) FROM right_grant g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.user
    WHERE e.identity = :identity`;
const GRANTS = `
  SELECT lower(hex(e.id)) AS id, lower(hex(e.author)) AS author, lower(hex(u.id)) AS user, g.kind, nullif(lower(hex(b.id)), '') AS basis,
    EXISTS (SELECT 1 FROM revocation r WHERE r.grant_event = e.n) AS is_disputed
  FROM right_grant g JOIN event e ON e.n = g.event JOIN event u ON u.n = g.user LEFT JOIN event b ON b.n = g.basis WHERE e.identity = :identity`;
const REMOVALS = `
  SELECT e.n, lower(hex(e.id)) AS id, lower(hex(e.author)) AS author, e.seq, lower(hex(u.id)) AS user, r.whole_user, nullif(lower(hex(b.id)), '') AS basis,
    EXISTS (SELECT 1 FROM removal_known k WHERE k.event = e.n) AS knew_others
  FROM removal r JOIN event e ON e.n = r.event JOIN event u ON u.n = r.user LEFT JOIN event b ON b.n = r.basis
  WHERE e.identity = :identity AND e.group_n IS NULL`;
const HEADS = 'SELECT lower(hex(device)) AS device, seq FROM removal_head WHERE event = :n';
const CURRENT = 'SELECT lower(hex(device)) AS device FROM current_device WHERE identity = :identity';
const BEYOND = `
  SELECT lower(hex(id)) AS id FROM event WHERE identity = :identity AND author = :device AND group_n IS NULL AND sealed = 1 AND body IS NOT NULL
    AND seq > :seq LIMIT 1`;
const TAKEN_BACK = `SELECT 1 AS found FROM waiting WHERE identity = :identity AND id = :id AND rule = 'author_removed'`;
const CHAIN = `
  SELECT lower(hex(id)) AS id, header FROM event WHERE identity = :identity AND author = :device AND group_n IS NULL ORDER BY seq DESC`;

interface Grant {
  readonly id: Id;
  readonly author: Id;
  readonly user: Id;
  readonly kind: string;
  readonly basis: Id | null;
  readonly is_disputed: number;
}
interface Removal {
  readonly n: number;
  readonly id: Id;
  readonly author: Id;
  readonly seq: number;
  readonly user: Id;
  readonly whole_user: number;
  readonly basis: Id | null;
  readonly knew_others: number;
  /** By device: the number of its last event that counts. */
  readonly heads: ReadonlyMap<Id, number>;
}

/** All that was said about who belongs, as one place holds it. */
class Said {
  readonly founder: Id;
  readonly devices: readonly { readonly device: Id; readonly user: Id; readonly is_linked: number }[];
  readonly admissions: readonly { readonly author: Id; readonly user: Id }[];
  readonly grants: ReadonlyMap<Id, Grant>;
  readonly removals: readonly Removal[];

  constructor({ machine, identity }: Place) {
    const db = machine.db();
    const all = <Row>(sql: string) => db.prepare(sql).all({ identity }) as unknown as Row[];
    this.founder = String(db.prepare(FOUNDER).get({ identity })?.device);
    this.devices = all(DEVICES);
    this.admissions = all(ADMISSIONS);
    this.grants = new Map(all<Grant>(GRANTS).map((grant) => [grant.id, grant]));
    this.removals = all<Omit<Removal, 'heads'>>(REMOVALS).map((removal) => {
      const heads = db.prepare(HEADS).all({ n: removal.n });
      return { ...removal, heads: new Map(heads.map(({ device, seq }) => [device as Id, Number(seq)])) };
    });
  }

  speaksFor = (device: Id, user: Id): boolean =>
    this.devices.some((one) => one.device === device && one.user === user);
  isFirst = (device: Id): boolean =>
    !this.devices.some((one) => one.device === device && one.is_linked === 1);
  isOwn = ({ author, user }: Removal): boolean => this.speaksFor(author, user);
  isAbout = ({ user, whole_user, heads }: Removal, device: Id): boolean =>
    this.speaksFor(device, user) && (whole_user === 1 || heads.has(device));
  about = (device: Id): Removal[] => this.removals.filter((removal) => this.isAbout(removal, device));
  aimedAt = (removal: Removal): Id[] =>
    this.devices.map(({ device }) => device).filter((device) => this.isAbout(removal, device));

  /** Grants from a removal to the founder; more than any for who has no right. */
  rank({ author, basis }: Removal): number {
    let rank = 0;
    for (let at = basis; at !== null; at = this.grants.get(at)?.basis ?? null) rank += 1;
    return rank === 0 && !this.#isOfFounder(author) ? Number.POSITIVE_INFINITY : rank;
  }

  #isOfFounder = (device: Id): boolean =>
    this.devices.some((one) => one.device === this.founder && this.speaksFor(device, one.user));

  /** Whether nobody disputes that it was to be done by its author. */
  isPlain(removal: Removal): boolean {
    if (this.isOwn(removal)) return false;
    if (removal.basis === null)
      return removal.author === this.founder && !this.about(this.founder).some(this.isOwn);
    let [author, at]: [Id, Id | null] = [removal.author, removal.basis];
    for (;;) {
      if (!this.isFirst(author) || this.about(author).length > 0) return false;
      if (at === null) return author === this.founder;
      const grant = this.grants.get(at);
      if (grant === undefined || grant.is_disputed === 1 || grant.kind !== 'admin') return false;
      if (!this.speaksFor(author, grant.user)) return false;
      [author, at] = [grant.author, grant.basis];
    }
  }

  /** The number of the last event that counts, where others have removed a device: none of them had heard more. */
  mostHeard = (device: Id): number =>
    Math.max(
      0,
      ...this.about(device)
        .filter((removal) => !this.isOwn(removal))
        .map(({ heads }) => heads.get(device) ?? 0),
    );

  /** Whether it is plain that a removal takes nothing away: its author had no right, or had been removed and had not been heard saying so. */
  isVoid(removal: Removal): boolean {
    if (this.isOwn(removal)) return false;
    const rank = this.rank(removal);
    if (rank === Number.POSITIVE_INFINITY) return true;
    const { author, seq } = removal;
    return (
      seq > this.mostHeard(author) &&
      this.about(author).some((other) => this.isPlain(other) && this.rank(other) <= rank)
    );
  }

  /** First devices that nobody has said anything against that counts, and who were let in by such. */
  undoubted(): ReadonlySet<Id> {
    const isSafe = (device: Id) =>
      this.isFirst(device) && this.about(device).every((one) => this.isVoid(one));
    const found = new Set<Id>();
    const open = isSafe(this.founder) ? [this.founder] : [];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (found.has(at)) continue;
      found.add(at);
      for (const { author, user } of this.admissions)
        if (author === at)
          for (const { device } of this.devices)
            if (this.speaksFor(device, user) && isSafe(device)) open.push(device);
    }
    return found;
  }
}

export class Verdicts {
  readonly #sim: Simulation;
  /** By removal: what its author had heard of those whom it removes, as far as nothing is missing before it. */
  readonly #heard = new Map<Id, Map<Id, Id[]>>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** Something was made on a machine: where it is a removal, what was heard there by then is remembered. */
  made(place: Pick<Place, 'machine' | 'identity'>, event_id: Id): void {
    const { machine, identity } = place;
    const row = machine
      .db()
      .prepare(`SELECT 1 AS found FROM event WHERE identity = :identity AND id = :id AND type = 'remove'`)
      .get({ identity, id: Uint8Array.fromHex(event_id) });
    if (row === undefined) return;
    const said = new Said(place as Place);
    const removal = said.removals.find(({ id }) => id === event_id);
    if (removal === undefined) return;
    const heard = said.aimedAt(removal).map((device): [Id, Id[]] => [device, this.#chain(place, device)]);
    this.#heard.set(event_id, new Map(heard));
  }

  #chain({ machine, identity }: Pick<Place, 'machine' | 'identity'>, device: Id): Id[] {
    const rows = machine
      .db()
      .prepare(CHAIN)
      .all({ identity, device: Uint8Array.fromHex(device) });
    const prev_of = new Map(
      rows.map(({ id, header }) => [id as Id, decodeHeader(header as Uint8Array).prev]),
    );
    const chain: Id[] = [];
    for (let at = rows[0]?.id as Id | null | undefined; at != null && prev_of.has(at); at = prev_of.get(at))
      chain.push(at);
    return chain;
  }

  /** Of a place where nothing is owed any more. */
  look(place: Place): void {
    const { truth, marks, hostile_devices } = this.#sim;
    const { machine, identity } = place;
    const db = machine.db();
    const who = machine.name;
    const said = new Said(place);
    if (said.removals.length === 0) return;
    const current = new Set(
      db
        .prepare(CURRENT)
        .all({ identity })
        .map(({ device }) => device as Id),
    );
    for (const removal of said.removals.filter((one) => said.isPlain(one))) {
      marks.seen('a removal was disputed by nobody');
      for (const device of said.aimedAt(removal)) {
        if (current.has(device))
          violated('S12', `on ${who} ${nameOf(device)} is in, who was removed, which nobody disputes`);
        const beyond = db
          .prepare(BEYOND)
          .get({ identity, device: Uint8Array.fromHex(device), seq: said.mostHeard(device) });
        if (beyond !== undefined)
          violated(
            'S12',
            `on ${who} ${truth.nameOf(beyond.id as Id)} counts, which nobody had heard who removed its author`,
          );
        // Of two histories one is cut off; and who knew of a removal cannot save more than that.
        const is_alone = !said.removals.some(
          (other) =>
            other.author === removal.author && other.id !== removal.id && said.isAbout(other, device),
        );
        if (hostile_devices.has(device) || truth.doubled.has(device)) continue;
        if (removal.knew_others === 1 || !is_alone) continue;
        for (const id of this.#heard.get(removal.id)?.get(device) ?? [])
          if (db.prepare(TAKEN_BACK).get({ identity, id: Uint8Array.fromHex(id) }) !== undefined)
            violated(
              'S5',
              `on ${who} ${truth.nameOf(id)} does not count, which was heard before its author was removed`,
            );
      }
    }
    if (said.removals.some((one) => said.isVoid(one)))
      marks.seen('what the removed said against others counted for nothing');
    for (const device of said.undoubted())
      if (!current.has(device))
        violated('S12', `on ${who} ${nameOf(device)} is out, whom nobody removed who could`);
  }
}

const nameOf = (device: Id): string => `device ${device.slice(0, 8)}`;
