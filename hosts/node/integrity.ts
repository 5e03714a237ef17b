/**
 * Whether a store is whole: every record has the id, hash and signature it must have, and opens; the keys are what their ids say; and the projections
 * are what the events alone lead to, taken in anew by an engine in memory. Reads only, in short transactions, beside the node that writes.
 */

import { decodeSealed } from '../../core/body-codec.ts';
import type { Db, SqlRow } from '../../core/db.ts';
import { Engine } from '../../core/engine.ts';
import type { Identity, RawEvent } from '../../core/envelope.ts';
import { decodeHeader, eventIdOf } from '../../core/header-codec.ts';
import type { Protocol } from '../../core/protocol.ts';
import { wipe } from '../../crypto/bytes.ts';
import { blake2b256 } from '../../crypto/hash.ts';
import { verify } from '../../crypto/sign.ts';
import { keyIdOf, openBody } from '../../protocols/quiet/handlers/content-key.ts';
import { readSlot } from '../../protocols/quiet/handlers/key-slot.ts';
import { openWrap } from '../../protocols/quiet/handlers/wraps.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { projectionDump } from './projections.ts';
import { sumProblems } from './sum-problems.ts';

export interface Problem {
  readonly event_id: string | null;
  readonly problem: string;
}
export interface Integrity {
  readonly records: number;
  readonly problems: readonly Problem[];
  /** Projection rows that were compared with a rebuild. */
  readonly compared: number;
  /** Why the projections were not compared; null: they were. */
  readonly skipped: string | null;
}

const PAGE = 500;
const PROBLEMS_MAX = 100;
/** A rebuild holds everything in memory. */
const REBUILD_MAX = 300_000;

const RECORDS = `
  SELECT e.n, e.identity, e.id, e.type, e.sealed, e.superseded, e.opaque, e.header, e.signature, e.body, i.network_id
  FROM event e LEFT JOIN identity i ON i.identity = e.identity WHERE e.n > :after ORDER BY e.n LIMIT :page`;
const WRAPS = `
  SELECT k.id AS key_id, k.slot, k.dirty_ms, w.sealed FROM wrap w JOIN group_key k ON k.n = w.key
  WHERE w.of = :n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL ORDER BY k.dirty_ms IS NOT NULL, k.expires_ms, k.id`;

export async function checkIntegrity(
  db: Db,
  protocol: Protocol,
  onProgress: (done: number, of: number) => void,
  now_ms: number = Date.now(),
): Promise<Integrity> {
  const problems: Problem[] = [];
  const note = (event_id: string | null, problem: string) => {
    if (problems.length < PROBLEMS_MAX) problems.push({ event_id, problem });
  };
  const { records } = db.prepare('SELECT count(*) AS records FROM event').get() as { records: number };
  const rebuilt = records > REBUILD_MAX ? null : rebuildOf(db, protocol, now_ms);
  const wraps = db.prepare(WRAPS);
  const page = db.prepare(RECORDS);
  let after = 0;
  let done = 0;
  for (;;) {
    const rows = page.all({ after, page: PAGE });
    if (rows.length === 0) break;
    for (const row of rows) {
      const raw = checkRecord(row, wraps.all({ n: row.n as number }), db, now_ms, note);
      if (raw !== null) rebuilt?.take(row.identity as number, row.id as Uint8Array, raw);
      after = row.n as number;
    }
    done += rows.length;
    onProgress(done, Math.max(done, records));
    await new Promise((resolve) => setImmediate(resolve));
  }
  checkKeys(db, note);
  for (const problem of sumProblems(db)) note(null, problem);
  const damage = db.prepare('PRAGMA quick_check(1)').get();
  if (damage?.quick_check !== 'ok') note(null, 'SQLite finds the file damaged');
  const compared = rebuilt?.compare(note) ?? 0;
  rebuilt?.close();
  return {
    records: done,
    problems,
    compared,
    skipped:
      rebuilt === null ? `more than ${REBUILD_MAX} records: projections were not rebuilt in memory` : null,
  };
}

export type Note = (event_id: string | null, problem: string) => void;

/** Checks one record; gives it as it came if its body is here and sound. */
function checkRecord(
  row: SqlRow,
  wraps: readonly SqlRow[],
  db: Db,
  now_ms: number,
  note: Note,
): RawEvent | null {
  const event_id = (row.id as Uint8Array).toHex();
  const bytes = row.header as Uint8Array;
  let header: ReturnType<typeof decodeHeader>;
  try {
    header = decodeHeader(bytes);
  } catch {
    note(event_id, 'its header cannot be read');
    return null;
  }
  if (eventIdOf(header.created_ms, blake2b256(bytes)) !== event_id)
    note(event_id, 'its header has another id');
  if (!verify(row.signature as Uint8Array, row.id as Uint8Array, Uint8Array.fromHex(header.author)))
    note(event_id, 'its signature does not hold');
  if (row.body === null) {
    if (wraps.length > 0) note(event_id, 'it is gone, and a key to it is not');
    return null;
  }
  const body = row.body as Uint8Array;
  if (blake2b256(body).toHex() !== header.body_hash) note(event_id, 'its body has another hash');
  // What has expired may outlive its key for some minutes: nobody can be shown it any more.
  if (row.sealed === 1 && wraps.length === 0 && header.expires_ms <= now_ms) return null;
  if (row.sealed === 1) checkSealed(event_id, header, body, row, wraps, db, note);
  return {
    header: bytes,
    signature: row.signature as Uint8Array,
    body,
    wraps: wraps.map((wrap) => ({
      key_id: (wrap.key_id as Uint8Array).toHex(),
      sealed: wrap.sealed as Uint8Array,
    })),
  };
}

function checkSealed(
  event_id: string,
  header: ReturnType<typeof decodeHeader>,
  body: Uint8Array,
  row: SqlRow,
  wraps: readonly SqlRow[],
  db: Db,
  note: Note,
): void {
  const [winner] = wraps;
  if (winner === undefined) {
    note(event_id, 'no key here opens it');
    return;
  }
  const key_id = (winner.key_id as Uint8Array).toHex();
  const group_key = secretIn(db, winner.slot as number);
  const content_key = openWrap(group_key, event_id, header.key_commitment, {
    key_id,
    sealed: winner.sealed as Uint8Array,
  });
  wipe(group_key);
  if (content_key === null) {
    note(event_id, 'its wrap does not open');
    return;
  }
  const plaintext = openBody(content_key, row.header as Uint8Array, body);
  wipe(content_key);
  if (plaintext === null) {
    note(event_id, 'its body does not open');
    return;
  }
  const { type } = decodeSealed(plaintext);
  wipe(plaintext);
  if (row.type !== type) note(event_id, 'what it holds is of another type than its row says');
}

const secretIn = (db: Db, slot: number): Uint8Array =>
  readSlot({ db, statement: (sql) => db.prepare(sql) }, slot);

/** Keys are what their ids say; what is written down of them is what the wraps say. */
function checkKeys(db: Db, note: Note): void {
  for (const row of db.prepare('SELECT * FROM group_key').all()) {
    const short = (row.id as Uint8Array).toHex().slice(0, 8);
    if (row.slot !== null) {
      const secret = secretIn(db, row.slot as number);
      const group_id = (row.group_id as Uint8Array).toHex();
      const channel_id = row.channel_id instanceof Uint8Array ? row.channel_id.toHex() : null;
      const id = keyIdOf(secret, { group_id, channel_id, expires_ms: row.expires_ms as number });
      wipe(secret);
      if (id !== (row.id as Uint8Array).toHex()) note(null, `key ${short} is not what its id says`);
    }
    const n = row.n as number;
    const { events } = db
      .prepare('SELECT count(*) AS events FROM wrap WHERE key = :n AND sealed IS NOT NULL')
      .get({ n }) as { events: number };
    if (events !== row.events) note(null, `key ${short} seals ${events} events, its row says ${row.events}`);
    const gone = db.prepare('SELECT 1 AS found FROM wrap WHERE key = :n AND sealed IS NULL').get({ n });
    if (gone !== undefined && row.dirty_ms === null)
      note(null, `key ${short} has sealed something deleted, and is not dirty`);
    if (row.slot === null && events > 0) note(null, `key ${short} was erased, and events are under it`);
  }
  const used = `SELECT s.id FROM key_slot s LEFT JOIN key_slot_use u ON u.slot = s.id WHERE u.slot IS NULL AND s.secret <> zeroblob(32)`;
  for (const { id } of db.prepare(used).all()) note(null, `key slot ${id} is free, and not empty`);
}

/** The event that a row of a projection belongs to, as `projectionDump` shows it. */
const ownerOf = (row: string): string => String((JSON.parse(row) as { event?: string }).event ?? '');

/** What is copied as it is: who this is, and the secrets, in memory only. */
const SECRETS = ['identity', 'key_slot', 'key_slot_use', 'prekey_secret', 'group_key'] as const;

/** Signed headers without their events. */
const LINKS = `
  SELECT identity, id, header, signature FROM event WHERE body IS NULL
  UNION ALL SELECT identity, id, header, signature FROM waiting
  UNION ALL SELECT identity, id, header, signature FROM chain_header`;

/** What has expired, and its key was the first to go. */
const IS_LOST = `
  e.sealed = 1 AND e.body IS NOT NULL AND e.expires_ms <= :now_ms AND NOT EXISTS (
    SELECT 1 FROM wrap w JOIN group_key k ON k.n = w.key WHERE w.of = e.n AND w.sealed IS NOT NULL AND k.slot IS NOT NULL)`;

/**
 * Events whose rows are here though nobody can say again why: of an edit that a newer one has replaced it stays known who made it, and when, and its body is
 * gone; of what has expired, and all that names it, the body is here and cannot be opened.
 */
const UNSAID = `
  WITH RECURSIVE lost (n) AS (
    SELECT e.n FROM event e WHERE ${IS_LOST} UNION SELECT d.event FROM lost JOIN depends_on d ON d.target = lost.n
  )
  SELECT hex(id) AS id FROM event WHERE (superseded = 1 AND body IS NULL) OR n IN (SELECT n FROM lost)`;

/** A second engine, in memory, that hears every event anew, in whatever order; nothing it would say is said. */
export function rebuildOf(db: Db, protocol: Protocol, now_ms: number) {
  const memory = openNodeSqlite(':memory:');
  const silent = { ...protocol, reflectors: new Map() };
  // Nothing that was taken in was from the future.
  const { newest_ms } = db.prepare('SELECT max(created_ms) AS newest_ms FROM event').get() as {
    newest_ms: number | null;
  };
  const wall_ms = () => Math.max(now_ms, newest_ms ?? 0);
  const engine = new Engine({
    db: memory,
    protocol: silent,
    clock: { wall_ms, monotonic_ms: () => performance.now() },
    random: { bytes: (length) => new Uint8Array(length) },
    after_commit: () => {},
  });
  for (const table of SECRETS)
    for (const row of db.prepare(`SELECT * FROM ${table}`).all()) {
      if (table === 'key_slot') {
        const used = db
          .prepare('SELECT 1 AS found FROM key_slot_use WHERE slot = :slot')
          .get({ slot: row.id! });
        if (used !== undefined) row.secret = secretIn(db, row.id as number);
      }
      if (table === 'key_slot_use') Object.assign(row, { nonce: null, tag: null });
      // Nothing is closed to what is here already; and of how much a key seals it makes its own count.
      if (table === 'group_key') Object.assign(row, { closed_ms: null, events: 0 });
      const names = Object.keys(row);
      memory
        .prepare(
          `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`,
        )
        .run(row);
    }
  // What a removed device said counts as far as its chain can be walked back, over what is dead, too.
  const link = memory.prepare(
    'INSERT INTO chain_header (identity, id, header, signature) VALUES (:identity, :id, :header, :signature) ON CONFLICT DO NOTHING',
  );
  for (const row of db.prepare(LINKS).all()) link.run(row);
  const identities = new Set<Identity>();
  return {
    take(identity: Identity, id: Uint8Array, raw: RawEvent): void {
      identities.add(identity);
      engine.transact((transaction) =>
        transaction.inject({
          stage: 'verified',
          identity,
          cause: { kind: 'host', name: 'audit' },
          origin: { from: 'network', session_id: '', device_id: '' },
          depth: 0,
          raw,
          event_id: id.toHex(),
          header: decodeHeader(raw.header),
        }),
      );
    },
    compare(note: Note): number {
      let compared = 0;
      const unsaid = new Set(
        db
          .prepare(UNSAID)
          .all({ now_ms })
          .map(({ id }) => id as string),
      );
      for (const identity of identities) {
        const here = projectionDump(db, identity);
        const anew = projectionDump(memory, identity);
        for (const [table, rows] of here) {
          const others = anew.get(table) ?? new Set();
          compared += rows.size;
          const more = [...rows.difference(others)].filter((row) => !unsaid.has(ownerOf(row))).length;
          const fewer = others.difference(rows).size;
          if (more + fewer > 0)
            note(
              null,
              `table ${table}: ${more} rows that the events do not lead to, ${fewer} that are missing`,
            );
        }
      }
      return compared;
    },
    close: () => memory.close(),
  };
}
