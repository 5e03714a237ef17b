/**
 * The most that a receiver of this design can do on this machine: what cannot be left out of taking in a sealed message, and nothing else. Two
 * threads hash headers and verify signatures; the main thread opens wrap and body, hashes, and inserts an event and a projection row, a thousand to a
 * commit that waits for the disk. No frames, no reconciliation, no rules, no queries, no connection.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CborValue, decode } from '../../core/cbor.ts';
import type { Db } from '../../core/db.ts';
import { blake2b256 } from '../../crypto/hash.ts';
import { unseal } from '../../crypto/seal.ts';
import { openNodeSqlite, openNodeSqliteToRead } from '../../storage/node-sqlite.ts';
import { nowMs } from './clock.ts';
import type { Verified } from './verify-worker.ts';

const WORKERS = 2;
/** Events that a thread verifies at a time, and that a transaction takes in. */
const BATCH = 1_000;
/** Batches on their way to each thread. */
const AHEAD = 4;

const utf8 = new TextEncoder();
const COMMITMENT = utf8.encode('sotto content key v1\0');
const WRAP = utf8.encode('sotto wrap v1\0');
const BODY_NONCE = new Uint8Array(24);
/** Fields of the header, and where the body's hash begins, from the end: it is followed by the commitment (34 bytes) and two nulls. */
const AUTHOR = 4;
const SEQ = 5;
const CREATED_MS = 7;
const BODY_HASH = 9;
const KEY_COMMITMENT = 10;
const HASH_FROM_END = 32 + 34 + 2;

/** A message as it would have come. */
export interface Sealed {
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
  readonly wrap: Uint8Array;
  readonly key_id: Uint8Array;
  readonly key: Uint8Array;
}

/** The first `count` messages of a store, with the keys that open them. */
export function messagesIn(database: string, count: number): Sealed[] {
  const db = openNodeSqliteToRead(database);
  const rows = db
    .prepareRead(
      `SELECT e.header, e.signature, e.body, w.sealed AS wrap, k.id AS key_id, s.secret AS key
       FROM message m JOIN event e ON e.n = m.event JOIN wrap w ON w.of = e.n JOIN group_key k ON k.n = w.key JOIN key_slot s ON s.id = k.slot
       ORDER BY m.event LIMIT :count`,
    )
    .all({ count });
  db.close();
  return rows as unknown as Sealed[];
}

/** Messages per second. */
export async function ceilingOf(messages: readonly Sealed[], beside: string): Promise<number> {
  const folder = mkdtempSync(join(beside, 'ceiling-'));
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL('./verify-worker.ts', import.meta.url)),
  );
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const db = openNodeSqlite(join(folder, 'ceiling.db'));
  try {
    const insert = prepared(db);
    const begun = nowMs();
    await eachVerified(messages, workers, (batch, verified) => {
      db.exec('BEGIN IMMEDIATE');
      batch.forEach((message, at) => {
        if (verified.good[at] !== 1) throw new Error('expected every signature to be good');
        insert(message, verified.ids.subarray(at * 32, at * 32 + 32));
      });
      db.exec('COMMIT');
    });
    return (messages.length / (nowMs() - begun)) * 1_000;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    db.close();
    rmSync(folder, { recursive: true });
  }
}

/** Has all messages verified, a few batches ahead, and hands the batches on in their order. */
async function eachVerified(
  messages: readonly Sealed[],
  workers: readonly Worker[],
  take: (batch: readonly Sealed[], verified: Verified) => void,
): Promise<void> {
  const batches = Math.ceil(messages.length / BATCH);
  const batchAt = (number: number) => messages.slice(number * BATCH, (number + 1) * BATCH);
  const ready = new Map<number, Verified>();
  let wake = () => {};
  for (const worker of workers)
    worker.on('message', (verified: Verified) => {
      ready.set(verified.number, verified);
      wake();
    });
  let asked = 0;
  for (let taken = 0; taken < batches; taken++) {
    for (; asked < Math.min(batches, taken + workers.length * AHEAD); asked++) {
      const batch = batchAt(asked).map(({ header, signature }) => ({ header, signature }));
      workers[asked % workers.length]!.postMessage({ number: asked, batch });
    }
    while (!ready.has(taken))
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    take(batchAt(taken), ready.get(taken)!);
    ready.delete(taken);
  }
}

/** Opens a message and inserts its two rows: the same columns and indexes that tell messages apart and put them in order. */
function prepared(db: Db): (message: Sealed, id: Uint8Array) => void {
  db.exec(`
    CREATE TABLE event (n INTEGER PRIMARY KEY, id BLOB NOT NULL, author BLOB NOT NULL, seq INTEGER NOT NULL, created_ms INTEGER NOT NULL,
      header BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL, wrap BLOB NOT NULL);
    CREATE UNIQUE INDEX event_by_id ON event (id);
    CREATE TABLE message (event INTEGER PRIMARY KEY, channel INTEGER NOT NULL, created_ms INTEGER NOT NULL, seq INTEGER NOT NULL);
    CREATE INDEX message_by_time ON message (channel, created_ms, seq);`);
  const event = db.prepare(
    `INSERT INTO event (id, author, seq, created_ms, header, signature, body, wrap)
     VALUES (:id, :author, :seq, :created_ms, :header, :signature, :body, :wrap)`,
  );
  const row = db.prepare(
    'INSERT INTO message (event, channel, created_ms, seq) VALUES (:n, :channel, :created_ms, :seq)',
  );
  const channels = new Map<string, number>();
  return ({ header, signature, body, wrap, key_id, key }, id) => {
    const fields = decode(header) as readonly CborValue[];
    const nonce = blake2b256(WRAP, id, key_id).subarray(0, 24);
    const content_key = known(unseal(key, nonce, wrap, WRAP), 'its wrap to open');
    same(
      blake2b256(COMMITMENT, content_key),
      fields[KEY_COMMITMENT],
      'its content key to be the one it names',
    );
    same(blake2b256(body), fields[BODY_HASH], 'its body to be the one it names');
    const associated = header.slice();
    associated.fill(0, header.length - HASH_FROM_END, header.length - HASH_FROM_END + 32);
    const opened = known(unseal(content_key, BODY_NONCE, body, associated), 'its body to open');
    const [, said] = decode(opened) as readonly [string, Uint8Array];
    const channel_id = (decode(said) as ReadonlyMap<string, Uint8Array>).get('channel_id')!.toHex();
    const channel = channels.get(channel_id) ?? channels.size;
    channels.set(channel_id, channel);
    const [author, seq, created_ms] = [fields[AUTHOR], fields[SEQ], fields[CREATED_MS]] as [
      Uint8Array,
      number,
      number,
    ];
    const stored = event.run({ id, author, seq, created_ms, header, signature, body, wrap });
    row.run({ n: stored.last_insert_rowid, channel, created_ms, seq });
  };
}

function known(value: Uint8Array | null, what: string): Uint8Array {
  if (value === null) throw new Error(`of a message, expected ${what}`);
  return value;
}

function same(value: Uint8Array, other: CborValue | undefined, what: string): void {
  if (!(other instanceof Uint8Array) || Buffer.compare(value, other) !== 0)
    throw new Error(`of a message, expected ${what}`);
}
