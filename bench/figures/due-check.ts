/** What a look for due work costs at a million rows, and at a hundred: what an idle pass asks the database when nothing is due. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ClockGuard } from '../../core/clock-guard.ts';
import { NEVER_MS } from '../../core/limits.ts';
import { ScheduleRows } from '../../core/schedule-rows.ts';
import { SCHEDULER_SQL } from '../../core/scheduler-schema.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { atMost, type Bench, type Figure, type Run } from '../figure.ts';
import { median } from '../line.ts';

const NOW = 1_767_225_600_000;
const REPEATS = 20_000;

/** Median microseconds of `REPEATS` calls. */
function measured(call: () => unknown): number {
  for (let warm = 0; warm < REPEATS / 10; warm++) call();
  const times = Array.from({ length: REPEATS }, () => {
    const begun = performance.now();
    call();
    return (performance.now() - begun) * 1_000;
  });
  return median(times);
}

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
  const rows = new ScheduleRows(db);
  return {
    /** What an idle pass runs: it reads the clock's row, looks for due work, and says when there will be some. */
    idle: () => [guard.look(), rows.earliest() <= NOW, rows.earliest()],
    /** The same where one row is due, with the row. */
    one: (now_ms: number) => {
      guard.look();
      return rows.earliest() <= now_ms ? rows.due(now_ms) : [];
    },
    earliest_ms: rows.earliest(),
    close: () => db.close(),
  };
}

async function* measure({ folder, say }: Bench): AsyncGenerator<Run> {
  const place = join(folder, 'due-check');
  mkdirSync(place);
  const million = build(join(place, '1m.db'), 1_000_000);
  say('a million rows are there');
  const hundred = build(join(place, '100.db'), 100);
  try {
    const found = million.one(million.earliest_ms).length;
    if (found < 1 || found > 3) throw new Error(`expected one to three rows to be due, got ${found}`);
    for (;;) {
      yield {
        due_check_1m_us: measured(million.idle),
        due_fetch_1m_us: measured(() => million.one(million.earliest_ms)),
        due_check_100_us: measured(hundred.idle),
      };
    }
  } finally {
    million.close();
    hundred.close();
    rmSync(place, { recursive: true });
  }
}

export const dueCheck: Figure = {
  values: {
    due_check_1m_us: {
      unit: 'µs',
      what: 'a look for due work among 1,000,000 schedules, nothing being due',
      target: atMost(50),
    },
    due_fetch_1m_us: { unit: 'µs', what: 'the same where one is due, with its row', target: null },
    due_check_100_us: { unit: 'µs', what: 'a look among 100', target: null },
  },
  measure,
};
