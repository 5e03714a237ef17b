/**
 * How fast a node forgets: so many live messages under dirty keys are sealed anew, checked and their keys erased, while somebody goes on writing and
 * reading. Prints one JSON line per figure. `node bench/forgetting.ts [MESSAGES]`, 100,000 unless told otherwise.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadJobs } from '../core/config.ts';
import { Engine } from '../core/engine.ts';
import { assembleProtocol } from '../core/protocol.ts';
import { JobScheduler } from '../core/scheduler.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { scrubLog } from '../storage/scrub-log.ts';

const MESSAGES = Number(process.argv[2] ?? 100_000);
const HOUR_MS = 3_600_000;
const machine = `${cpus().length} cores, node ${process.version}`;
const print = (name: string, value: number, unit: string) =>
  process.stdout.write(`${JSON.stringify({ name, value: Math.round(value * 10) / 10, unit, machine })}\n`);

const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-'));
const path = join(folder, 'sotto.db');
const db = openNodeSqlite(path);
let ahead_ms = 0;
const clock = { wall_ms: () => Date.now() + ahead_ms, monotonic_ms: () => performance.now() };
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
const protocol = assembleProtocol([quiet]);
const engine = new Engine({ db, protocol, clock, random, after_commit: () => {} });
const scheduler = new JobScheduler({
  db,
  clock,
  random,
  transact: (now_ms, body) => engine.transact(body, now_ms),
  run_job: (job, params, identity, occurrence) =>
    engine.pure.job(job, params, engine.scope(identity, clock.wall_ms()), occurrence),
  identities: () =>
    engine.identities().map(({ identity, network_id }) => ({ identity, network_id: network_id! })),
  witnesses: () => [],
  other_users: () => 0,
});

engine.command('create_network', 0, { name: 'Bench', user_name: 'alice' });
const channel_id = engine.query('get_channels', {}, 1)[0]?.channel_id as string;
const say = (text: string) =>
  engine.command('send_message', 1, { channel_id, text, ttl_ms: 0 }).event_ids[0] as string;

db.exec('PRAGMA synchronous = OFF');
process.stderr.write(`writing ${MESSAGES} messages...\n`);
const doomed: string[] = [];
for (let n = 0; n < MESSAGES; n++) {
  const message_id = say(
    `message number ${n}, of some hundred bytes, as people write them to each other every day of the week`,
  );
  // One in each key that is going to be dirty.
  if (n % 4_000 === 0) doomed.push(message_id);
}
for (const message_id of doomed) engine.command('remove_message', 1, { message_id });
db.exec('PRAGMA synchronous = FULL');

const owed = () => {
  const keys = engine.query('get_key_states', {}, 1) as readonly { to_rewrap: number; to_remove: number }[];
  return keys.reduce((sum, key) => sum + key.to_rewrap, 0);
};
const to_rewrap = owed();
const dirty = engine.query('get_key_states', {}, 1).filter((key) => key.dirty_ms !== null).length;
scheduler.load(loadJobs(protocol.job_files, protocol, {}));
scheduler.runDueJobs();

const percentile = (of: number[], share: number) =>
  of.toSorted((a, b) => a - b)[Math.floor(of.length * share)] ?? 0;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Runs passes until nothing is owed; somebody writes and reads at every fourth turn, and waits for whatever is in their way. */
async function run(stage: string, job: string, is_done: () => boolean, ahead: number): Promise<number> {
  ahead_ms += ahead;
  let worked = 0;
  for (;;) {
    const at = performance.now();
    const run = scheduler.runOnce(job, 1);
    worked += performance.now() - at;
    waits.push(performance.now() - at);
    const asked = performance.now();
    say('and somebody goes on writing');
    sends.push(performance.now() - asked + waits.at(-1)!);
    const read = performance.now();
    engine.query('get_messages', { channel_id, limit: 50 }, 1);
    reads.push(performance.now() - read + waits.at(-1)!);
    if (run.emitted === 0) break;
    await turn();
  }
  if (!is_done()) throw new Error(`${stage} is not done`);
  print(`forget_${stage}_ms`, worked, 'ms');
  return worked;
}
const waits: number[] = [];
const sends: number[] = [];
const reads: number[] = [];

const before_mb = process.memoryUsage().rss / 2 ** 20;
let most_mb = before_mb;
const watch = setInterval(() => {
  most_mb = Math.max(most_mb, process.memoryUsage().rss / 2 ** 20);
}, 100);
const rewrapped = await run('rewrap', 'rekey_creation', () => owed() === 0, 0);
const checked = await run('check', 'delete_rekeyed', () => true, 0);
await run('close', 'purge_keys', () => true, HOUR_MS + 1);
const purged = await run('purge', 'purge_keys', () => true, 0);
const scrub_at = performance.now();
if (!scrubLog(db, path)) throw new Error('the log could not be scrubbed');
const until = engine.query('get_open_purges', {}, 0)[0]?.until as number;
engine.instruct(0, 'bench', 'purge-receipt', { until });
const scrubbed = performance.now() - scrub_at;
clearInterval(watch);

const zeroed = engine.query('get_receipts', { since_ms: 0, limit: 1_000, network_id: null }, 0).length;
if (zeroed < dirty) throw new Error(`${zeroed} of ${dirty} keys were erased`);
print('forget_messages', to_rewrap, 'messages');
print('forget_keys', zeroed, 'keys');
print('forget_scrub_ms', scrubbed, 'ms');
print('forget_per_s', (to_rewrap / (rewrapped + checked + purged + scrubbed)) * 1000, 'messages/s');
print('forget_send_p99_ms', percentile(sends, 0.99), 'ms');
print('forget_read_p99_ms', percentile(reads, 0.99), 'ms');
print('forget_batch_p99_ms', percentile(waits, 0.99), 'ms');
print('forget_memory_mb', most_mb - before_mb, 'MB more');
db.close();
rmSync(folder, { recursive: true, force: true });
