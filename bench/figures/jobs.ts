/** How many jobs run that are due together: each returns one envelope, which goes through the pipeline into a row, and each leaves a row of its run. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadJobs } from '../../core/config.ts';
import { Engine } from '../../core/engine.ts';
import { instruct } from '../../core/envelope.ts';
import { eventType } from '../../core/event-type.ts';
import { integer } from '../../core/fields.ts';
import { assembleProtocol, type ProtocolFolder } from '../../core/protocol.ts';
import { JobScheduler } from '../../core/scheduler.ts';
import { job, projector, upsert } from '../../core/sources.ts';
import { quiet } from '../../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { atLeast, type Bench, type Figure, type Run } from '../figure.ts';
import { digits } from '../table.ts';

const JOBS = 5_000;
const HOUR_MS = 3_600_000;

/** What the jobs say: a note in a row of each one's own. */
const tick = eventType({ name: 'tick', class: 'local', description: 'A job ran.', body: { job: integer() } });
const projectTick = projector(tick, {
  project: (_query, event) => [
    upsert('tick', ['identity', 'job'], { job: event.body.job, at_ms: event.created_ms }),
  ],
});
const tickJob = job(
  { description: 'Returns one envelope.', params: { job: integer() }, for_each: 'network' },
  (_query, params) => [instruct(tick, { job: params.job })],
);

/** Laid over Quiet: so many schedules of one job. */
const folderWith = (count: number): ProtocolFolder => ({
  root: 'bench',
  modules: {
    'events/tick/schema.ts': { tick },
    'events/tick/projector.ts': { projectTick },
    'jobs/tick.ts': { tickJob },
  },
  sql: {
    'events/tick/tick.sql':
      'CREATE TABLE IF NOT EXISTS tick (identity INTEGER, job INTEGER, at_ms INTEGER, PRIMARY KEY (identity, job)) WITHOUT ROWID;',
  },
  jobs_yaml: ['jobs:', ...Array.from({ length: count }, (_, number) => scheduleOf(number))].join('\n'),
});

const scheduleOf = (number: number) =>
  `  - {name: tick_${number}, function: tick_job, for_each: network, frequency_ms: ${HOUR_MS}, params: {job: ${number}}}`;

async function* measure({ folder }: Bench): AsyncGenerator<Run> {
  const place = join(folder, 'jobs');
  mkdirSync(place);
  const db = openNodeSqlite(join(place, 'jobs.db'));
  const protocol = assembleProtocol([quiet, folderWith(JOBS)]);
  let ahead_ms = 0;
  const clock = { wall_ms: () => Date.now() + ahead_ms, monotonic_ms: () => performance.now() + ahead_ms };
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const engine = new Engine({ db, protocol, clock, random, after_commit: () => {} });
  engine.command('create_network', 0, { name: 'Bench', user_name: 'alice' });
  const scheduler = new JobScheduler({
    db,
    clock,
    random,
    transact: (now_ms, body) => engine.transact(body, now_ms),
    run_job: (one, params, identity, occurrence) =>
      engine.pure.job(one, params, engine.scope(identity, clock.wall_ms()), occurrence),
    identities: () =>
      engine.identities().map(({ identity, network_id }) => ({ identity, network_id: network_id! })),
    witnesses: () => [],
    other_users: () => 0,
  });
  try {
    scheduler.load(loadJobs(protocol.job_files.slice(-1), protocol, {}));
    for (;;) {
      ahead_ms += HOUR_MS;
      const begun = performance.now();
      let ran = 0;
      while (ran < JOBS) {
        const pass = scheduler.runDueJobs();
        if (pass.failed > 0 || pass.ran === 0)
          throw new Error(`of ${JOBS} jobs ${ran} ran, ${pass.failed} failed`);
        ran += pass.ran;
      }
      const took_ms = performance.now() - begun;
      const { rows } = db.prepare('SELECT count(*) AS rows FROM tick').get() as { rows: number };
      if (rows !== JOBS) throw new Error(`expected ${JOBS} rows of what the jobs said, got ${rows}`);
      yield { jobs_per_s: (JOBS / took_ms) * 1_000 };
    }
  } finally {
    db.close();
    rmSync(place, { recursive: true });
  }
}

export const jobs: Figure = {
  values: {
    jobs_per_s: {
      unit: 'jobs/s',
      what: `${digits(JOBS)} jobs of one envelope each that are due together, with their rows`,
      target: atLeast(5_000),
    },
  },
  measure,
};
