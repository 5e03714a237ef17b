/**
 * The recorder: an attacker who has kept every frame between devices, and every ciphertext that any device ever stored, and then gets hold of one
 * device's disk, with all the secrets on it. Shares no code with the product: it reads files with SQLite and opens what it can with another
 * implementation of the format (`golden/independent.ts`).
 *
 * What cannot change is kept from step to step: what a key opens depends on the recordings alone, whoever has it.
 */
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import * as format from './golden/independent.ts';

interface RecordedEvent {
  readonly event_id: string;
  readonly fields: format.HeaderFields;
  readonly bodies: Map<string, Uint8Array>;
  /** What was opened of it at all, by whoever had a key: a type and a text. */
  opened: { readonly type: string; readonly text: string } | null;
}
/** A `key` event: one group key, sealed to one prekey. */
interface RecordedKey {
  readonly event_id: string;
  readonly key_id: string;
  readonly sealed: Uint8Array;
}
/** What is public about a group key: with the secret it makes the id. */
interface KeyAbout {
  readonly key_id: string;
  readonly group: Uint8Array;
  readonly channel: Uint8Array | null;
  readonly expires_ms: number;
}
interface WrapsOfKey {
  readonly wraps: { readonly event_id: string; readonly sealed: Uint8Array }[];
  /** So many have been tried, and these events opened. */
  tried: number;
  readonly opens: Set<string>;
}

/** What is on one device's disk: its secrets, and what its database says of itself. */
export interface Disk {
  readonly device: string;
  /** Each with where it was found. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly unreachable: ReadonlySet<string>;
  /** Sealed events that are here with their content, and when they expire. */
  readonly stored: ReadonlyMap<string, number>;
}

/** What a disk gives to who has the recordings. */
export interface Seizure {
  /** Group keys, each with where it was found. */
  readonly keys: ReadonlyMap<string, string>;
  /** Events whose content opens. */
  readonly opened: ReadonlySet<string>;
}

const hexOf = (value: unknown): string => format.hex(value as Uint8Array);

export class Recorder {
  readonly events = new Map<string, RecordedEvent>();
  readonly #ids = new Map<string, string>();
  readonly #wraps = new Map<string, WrapsOfKey>();
  readonly #seen_wraps = new Set<string>();
  readonly #keys_to = new Map<string, RecordedKey[]>();
  readonly #seen_keys = new Set<string>();
  readonly #about: KeyAbout[] = [];
  readonly #seen_about = new Set<string>();
  /** Per secret: its public half as a prekey, and which group keys it is. */
  readonly #secrets = new Map<string, { readonly prekey: string; tried: number; readonly is: Set<string> }>();
  /** The group key in a `key` event, by the event, once somebody has had the prekey; null where it is not what it says. */
  readonly #given = new Map<string, boolean>();
  /** Every secret that ever was in a slot of a device. */
  readonly #secrets_of = new Map<string, Set<string>>();
  readonly #known_of = new Map<string, Map<string, Set<string>>>();

  // --- recording --------------------------------------------------------------------------------------------------------------------

  /** A frame as it is inside the transport's encryption: more than somebody on the wire has. */
  frame(frame: Uint8Array): void {
    for (const item of itemsOf(frame)) {
      if (item[0] !== 0) continue;
      const [, header, , body, wraps] = item as [number, Uint8Array, Uint8Array, Uint8Array, unknown];
      const pairs = (wraps ?? []) as [Uint8Array, Uint8Array][];
      this.#event(
        header,
        body,
        pairs.map(([key, sealed]) => [hexOf(key), sealed] as const),
      );
    }
  }

  /** Takes in everything that a copy of a device's file holds. The log is to lie beside it; the copy is changed by being read. */
  disk(device: string, path: string): Disk {
    const db = new DatabaseSync(path);
    try {
      this.#store(device, db);
      return { device, secrets: this.#secretsOn(device, path, db), ...standingIn(db) };
    } finally {
      db.close();
    }
  }

  #store(device: string, db: DatabaseSync): void {
    const stored = db.prepare('SELECT n, header, body FROM event WHERE body IS NOT NULL').all();
    const ids = new Map<unknown, string>();
    for (const row of stored)
      ids.set(row.n, this.#event(row.header as Uint8Array, row.body as Uint8Array, []));
    const wraps = db
      .prepare(
        'SELECT w.of, k.id, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.sealed IS NOT NULL',
      )
      .all();
    for (const { of, id, sealed } of wraps) {
      const event_id = ids.get(of);
      if (event_id !== undefined) this.#wrap(event_id, hexOf(id), sealed as Uint8Array);
    }
    for (const row of db.prepare('SELECT n, header, body FROM waiting').all()) {
      const event_id = this.#event(row.header as Uint8Array, row.body as Uint8Array, []);
      const waiting = db
        .prepare('SELECT key_id, sealed FROM waiting_wrap WHERE waiting = ?')
        .all(row.n as number);
      for (const { key_id, sealed } of waiting) this.#wrap(event_id, hexOf(key_id), sealed as Uint8Array);
    }
    for (const row of db.prepare('SELECT id, group_id, channel_id, expires_ms FROM group_key').all())
      this.#learn(
        hexOf(row.id),
        row.group_id as Uint8Array,
        row.channel_id as Uint8Array | null,
        row.expires_ms as number,
      );
    const known = this.#known_of.get(device) ?? new Map<string, Set<string>>();
    this.#known_of.set(device, known);
    const under = db
      .prepare(
        'SELECT e.id AS event_id, k.id FROM wrap w JOIN event e ON e.n = w.of JOIN group_key k ON k.n = w.key',
      )
      .all();
    for (const row of under) addTo(known, hexOf(row.event_id), hexOf(row.id));
    for (const secret of secretsIn(db)) addTo(this.#secrets_of, device, secret);
  }

  #event(header: Uint8Array, body: Uint8Array, wraps: readonly (readonly [string, Uint8Array])[]): string {
    const header_hex = hexOf(header);
    let event_id = this.#ids.get(header_hex);
    if (event_id === undefined) {
      const fields = format.readHeader(header);
      event_id = hexOf(format.eventId(fields.created_ms, header));
      this.#ids.set(header_hex, event_id);
      this.events.set(event_id, { event_id, fields, bodies: new Map(), opened: null });
      if (fields.type === 'key') this.#key(event_id, fields, body);
    }
    this.events.get(event_id)!.bodies.set(hexOf(body), body);
    for (const [key_id, sealed] of wraps) this.#wrap(event_id, key_id, sealed);
    return event_id;
  }

  #wrap(event_id: string, key_id: string, sealed: Uint8Array): void {
    const name = `${event_id} ${key_id} ${hexOf(sealed)}`;
    if (this.#seen_wraps.has(name)) return;
    this.#seen_wraps.add(name);
    const of_key = this.#wraps.get(key_id) ?? { wraps: [], tried: 0, opens: new Set<string>() };
    this.#wraps.set(key_id, of_key);
    of_key.wraps.push({ event_id, sealed });
  }

  #key(event_id: string, fields: format.HeaderFields, body: Uint8Array): void {
    if (this.#seen_keys.has(event_id)) return;
    this.#seen_keys.add(event_id);
    const said = keyBody(body);
    const to = hexOf(said.prekey);
    const sent = this.#keys_to.get(to) ?? [];
    this.#keys_to.set(to, sent);
    sent.push({ event_id, key_id: hexOf(said.key_id), sealed: said.sealed });
    this.#learn(hexOf(said.key_id), format.bytes(fields.group!), said.channel_id, said.key_expires_ms);
  }

  #learn(key_id: string, group: Uint8Array, channel: Uint8Array | null, expires_ms: number): void {
    if (this.#seen_about.has(key_id)) return;
    this.#seen_about.add(key_id);
    this.#about.push({ key_id, group, channel, expires_ms });
  }

  // --- attacking --------------------------------------------------------------------------------------------------------------------

  /** From all slots, in use or not; and of those that the device ever had, from wherever they lie in the bytes of its files. */
  #secretsOn(device: string, path: string, db: DatabaseSync): Map<string, string> {
    const secrets = new Map([...secretsIn(db)].map((secret) => [secret, 'slot']));
    const gone = [...(this.#secrets_of.get(device) ?? [])].filter((secret) => !secrets.has(secret));
    for (const file of [path, `${path}-wal`])
      if (existsSync(file))
        for (const secret of foundIn(readFileSync(file), gone)) secrets.set(secret, 'bytes of the file');
    return secrets;
  }

  /** Everything that opens from one device's disk and all recordings. */
  attack({ secrets }: Disk): Seizure {
    const keys = new Map<string, string>();
    for (const [secret, where] of secrets) {
      const about = this.#secret(secret);
      for (const key_id of about.is) if (!keys.has(key_id)) keys.set(key_id, where);
      for (const given of this.#keys_to.get(about.prekey) ?? []) {
        if (!this.#opensGiven(secret, given)) continue;
        const how = `key event ${short(given.event_id)} to prekey ${short(about.prekey)} (${where})`;
        if (!keys.has(given.key_id)) keys.set(given.key_id, how);
      }
    }
    const opened = new Set<string>();
    for (const key_id of keys.keys()) for (const event_id of this.#opensWith(key_id)) opened.add(event_id);
    return { keys, opened };
  }

  /** What a key opens was found out when somebody had it: by its id it is the same key. */
  readonly #group_keys = new Map<string, Uint8Array>();

  #secret(secret: string) {
    const bytes = format.bytes(secret);
    let about = this.#secrets.get(secret);
    if (about === undefined) {
      about = { prekey: hexOf(format.prekeyOf(bytes)), tried: 0, is: new Set() };
      this.#secrets.set(secret, about);
    }
    for (; about.tried < this.#about.length; about.tried++)
      if (this.#isKey(bytes, this.#about[about.tried]!)) about.is.add(this.#about[about.tried]!.key_id);
    return about;
  }

  #isKey(secret: Uint8Array, { key_id, group, channel, expires_ms }: KeyAbout): boolean {
    const fits = hexOf(format.keyId(secret, group, channel, expires_ms)) === key_id;
    if (fits) this.#group_keys.set(key_id, secret);
    return fits;
  }

  #opensGiven(secret: string, given: RecordedKey): boolean {
    const known = this.#given.get(given.event_id);
    if (known !== undefined) return known;
    let fits = false;
    try {
      const key = format.openKey(format.bytes(secret), given.sealed);
      fits = this.#isKey(key, this.#about.find(({ key_id }) => key_id === given.key_id)!);
    } catch {
      // It was sealed to nobody.
    }
    this.#given.set(given.event_id, fits);
    return fits;
  }

  #opensWith(key_id: string): ReadonlySet<string> {
    const of_key = this.#wraps.get(key_id);
    const key = this.#group_keys.get(key_id);
    if (of_key === undefined || key === undefined) return new Set();
    for (; of_key.tried < of_key.wraps.length; of_key.tried++) {
      const { event_id, sealed } = of_key.wraps[of_key.tried]!;
      if (this.#open(event_id, key_id, key, sealed)) of_key.opens.add(event_id);
    }
    return of_key.opens;
  }

  #open(event_id: string, key_id: string, key: Uint8Array, sealed: Uint8Array): boolean {
    const event = this.events.get(event_id)!;
    try {
      const content_key = format.unwrap(key, format.bytes(event_id), format.bytes(key_id), sealed);
      if (hexOf(format.commitment(content_key)) !== event.fields.key_commitment) return false;
      for (const body of event.bodies.values()) {
        const [type, inner] = format.decode(format.openBody(content_key, event.fields, body)) as [
          string,
          Uint8Array,
        ];
        const said = format.decode(inner) as Record<string, unknown>;
        event.opened = { type, text: String(said.text ?? said.emoji ?? said.name ?? '') };
        return true;
      }
    } catch {
      // Another key, or another event's.
    }
    return false;
  }

  /**
   * What is wrong with disks of one moment, each alone: one line each. An event is forgotten on a device once all keys are unreachable there that it
   * was ever under on this device; `said`: events that somebody says are out of reach everywhere.
   */
  check(disks: readonly Disk[], now_ms: number, said: ReadonlyMap<string, string> = new Map()): string[] {
    const isLive = ({ stored }: Disk, event_id: string) => (stored.get(event_id) ?? 0) > now_ms;
    const wrong: string[] = [];
    for (const disk of disks) {
      const { keys, opened } = this.attack(disk);
      const note = (what: string) => wrong.push(`${disk.device}: ${what}`);
      for (const key_id of disk.unreachable)
        if (keys.has(key_id)) note(`unreachable key ${short(key_id)} is had from ${keys.get(key_id)}`);
      for (const [event_id, by] of said)
        if (opened.has(event_id)) note(`${by} says that it is unreachable: ${this.shown(event_id, keys)}`);
      const known = this.#known_of.get(disk.device);
      for (const event_id of opened) {
        if (isLive(disk, event_id) || disks.some((other) => isLive(other, event_id))) continue;
        const under = known?.get(event_id) ?? new Set<string>();
        const elsewhere = disks.flatMap(({ device }) => [
          ...(this.#known_of.get(device)?.get(event_id) ?? []),
        ]);
        // Sealed anew by who had not heard of its end, under a key that is to go, and is said to: see `said`.
        if (elsewhere.some((key_id) => keys.has(key_id) && !under.has(key_id))) continue;
        if (under.size > 0 && [...under].every((key_id) => disk.unreachable.has(key_id)))
          note(`unreachable event opens: ${this.shown(event_id, keys)}`);
      }
      for (const event_id of disk.stored.keys())
        if (isLive(disk, event_id) && !opened.has(event_id))
          note(`live event does not open: ${this.shown(event_id, keys)}`);
    }
    return wrong;
  }

  /** Which group keys were ever sealed to a prekey. */
  keysTo(prekey: string): string[] {
    return (this.#keys_to.get(prekey) ?? []).map(({ key_id }) => key_id);
  }

  /** For people: what an event says, and by which of the keys at hand. */
  shown(event_id: string, keys: ReadonlyMap<string, string> = new Map()): string {
    const event = this.events.get(event_id);
    const by = [...keys].filter(([key_id]) => this.#wraps.get(key_id)?.opens.has(event_id));
    const how = by.map(([key_id, where]) => `key ${short(key_id)} from ${where}`).join(', ');
    return `${short(event_id)} ${event?.opened?.type ?? '?'} '${event?.opened?.text ?? ''}' ${how}`;
  }

  /** Events of these types that somebody could open some time. */
  said(): { readonly event_id: string; readonly type: string; readonly text: string }[] {
    return [...this.events.values()].flatMap(({ event_id, opened }) =>
      opened === null ? [] : [{ event_id, ...opened }],
    );
  }
}

export const short = (id: string): string => id.slice(12, 20);

/** A copy of a database file as it lies there, with its log, as a thief would take it. */
export function seize(from: string, to: string): string {
  for (const ending of ['', '-wal', '-shm']) {
    rmSync(`${to}${ending}`, { force: true });
    // The index of the log is in the memory of processes; the log itself is what counts.
    if (ending !== '-shm' && existsSync(`${from}${ending}`))
      copyFileSync(`${from}${ending}`, `${to}${ending}`);
  }
  return to;
}

/** The items of a frame, each a list. */
export function itemsOf(frame: Uint8Array): unknown[][] {
  return (format.decode(frame) as [number, unknown[][]])[1];
}

/** A frame without the events that `drops` names. */
export function without(
  frame: Uint8Array,
  drops: (about: {
    readonly event_id: string;
    readonly fields: format.HeaderFields;
    readonly body: Uint8Array;
  }) => boolean,
): Uint8Array {
  const items = itemsOf(frame);
  const left = items.filter((item) => {
    if (item[0] !== 0) return true;
    const header = item[1] as Uint8Array;
    const fields = format.readHeader(header);
    return !drops({
      event_id: hexOf(format.eventId(fields.created_ms, header)),
      fields,
      body: item[3] as Uint8Array,
    });
  });
  return left.length === items.length ? frame : format.encode([1, left]);
}

export interface KeyBody {
  readonly key_id: Uint8Array;
  readonly device_id: Uint8Array;
  readonly prekey: Uint8Array;
  readonly channel_id: Uint8Array | null;
  readonly key_expires_ms: number;
  readonly sealed: Uint8Array;
}
export const keyBody = (body: Uint8Array): KeyBody => format.decode(body) as KeyBody;

function standingIn(db: DatabaseSync): Pick<Disk, 'unreachable' | 'stored'> {
  const unreachable = db
    .prepare(
      `SELECT p.key_id AS id FROM purge p WHERE p.kind = 'group_key' AND p.unreachable_ms IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM purge o WHERE o.kind = p.kind AND o.key_id = p.key_id AND o.unreachable_ms IS NULL)`,
    )
    .all();
  const stored = db.prepare('SELECT id, expires_ms FROM event WHERE sealed = 1 AND body IS NOT NULL').all();
  return {
    unreachable: new Set(unreachable.map(({ id }) => hexOf(id))),
    stored: new Map(stored.map(({ id, expires_ms }) => [hexOf(id), expires_ms as number])),
  };
}

const NO_SECRET = '00'.repeat(32);
function secretsIn(db: DatabaseSync): Set<string> {
  const secrets = new Set(
    db
      .prepare('SELECT secret FROM key_slot')
      .all()
      .map(({ secret }) => hexOf(secret)),
  );
  secrets.delete(NO_SECRET);
  return secrets;
}

function addTo<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

/** Which of many secrets lie anywhere in some bytes. One pass. */
function foundIn(bytes: Buffer, secrets: readonly string[]): string[] {
  if (secrets.length === 0) return [];
  const beginnings = new Uint8Array(1 << 16);
  const by_beginning = new Map<number, { readonly secret: string; readonly bytes: Buffer }[]>();
  for (const secret of secrets) {
    const wanted = Buffer.from(secret, 'hex');
    const beginning = wanted.readUInt16LE(0);
    beginnings[beginning] = 1;
    by_beginning.set(beginning, [...(by_beginning.get(beginning) ?? []), { secret, bytes: wanted }]);
  }
  const found = new Set<string>();
  for (let at = 0; at + 32 <= bytes.length; at++) {
    const beginning = bytes[at]! | (bytes[at + 1]! << 8);
    if (beginnings[beginning] === 0) continue;
    for (const wanted of by_beginning.get(beginning)!)
      if (bytes.compare(wanted.bytes, 0, 32, at, at + 32) === 0) found.add(wanted.secret);
  }
  return [...found];
}
