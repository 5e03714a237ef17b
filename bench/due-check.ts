/**
 * What a look for due work costs at a million rows, and at a hundred: what `runDueJobs` asks the database when nothing is
 * due (`due_check`), and up to the row when one is (`due_fetch`). Prints one JSON line each. `node bench/due-check.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClockGuard } from '../core/clock-guard.ts';
import { NEVER_MS } from '../core/limits.ts';
import { ScheduleRows } from '../core/schedule-rows.ts';
import { SCHEDULER_SQL } from '../core/scheduler-schema.ts';
import { openNodeSqlite } from '../storage/node-sqlite.ts';

const NOW = 1_767_225_600_000;
const RUNS = 5;
const REPEATS = 20_000;

/** Median microseconds of `REPEATS` calls, and all medians. */
function measure(name: string, call: () => unknown): number {
  for (let warm = 0; warm < REPEATS / 10; warm++) call();
  const runs = Array.from({ length: RUNS }, () => {
    const times = Array.from({ length: REPEATS }, () => {
      const begun = performance.now();
      call();
      return (performance.now() - begun) * 1_000;
    });
    return round(median(times));
  });
  const value = median(runs);
  console.log(JSON.stringify({ name, value, unit: 'us', runs }));
  return value;
}

const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[values.length >> 1]!;
const round = (value: number) => Math.round(value * 100) / 100;

/** Rows of six jobs, due within the next ten minutes; every tenth paused. */
function build(path: string, count: number) {
  const db = openNodeSqlite(path);
  db.exec(SCHEDULER_SQL);
  const add = db.prepare(
    `INSERT INTO job_schedule (job, identity, network_id, grid, occurrence_ms, next_due_ms)
     VALUES (:job, :identity, :network_id, 'every 60000 ms + 0', :due_ms, :next_due_ms)`,
  );
  db.exec('BEGIN');
  for (let at = 0; at < count; at++) {
    const due_ms = NOW + 1 + ((at * 7_919) % 600_000);
    const network_id = new Uint8Array(32).fill(at & 255);
    const next_due_ms = at % 10 === 0 ? NEVER_MS : due_ms;
    add.run({ job: `job_${at % 6}`, identity: Math.floor(at / 6), network_id, due_ms, next_due_ms });
  }
  db.exec('COMMIT');
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const clock = { wall_ms: () => NOW, monotonic_ms: () => 0 };
  const guard = new ClockGuard({ db, clock, witnesses: () => [], other_users: () => 0 });
  return { rows: new ScheduleRows(db), guard, close: () => db.close() };
}

function bench(folder: string, count: number, label: string): number {
  const { rows, guard, close } = build(join(folder, `${label}.db`), count);
  // What an idle pass runs: it reads the clock's row, looks for due work, and says when there will be some.
  const idle = measure(`due_check_${label}_us`, () => [
    guard.look(),
    rows.earliest() <= NOW,
    rows.earliest(),
  ]);
  // One row is due: the earliest.
  const now_ms = rows.earliest();
  const found = rows.due(now_ms).length;
  measure(`due_fetch_${label}_us`, () => {
    guard.look();
    if (rows.earliest() <= now_ms) rows.due(now_ms);
  });
  if (found < 1 || found > 3) throw new Error(`expected one to three rows to be due, got ${found}`);
  close();
  return idle;
}

const folder = mkdtempSync(join(tmpdir(), 'sotto-due-check-'));
try {
  const million = bench(folder, 1_000_000, '1m');
  const hundred = bench(folder, 100, '100');
  const ratio = round(million / hundred);
  console.log(JSON.stringify({ name: 'due_check_ratio', value: ratio, unit: 'x', runs: [ratio] }));
} finally {
  rmSync(folder, { recursive: true });
}
