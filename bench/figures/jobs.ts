/** How many jobs run that are due together: each returns one envelope, which goes through the pipeline into a row, and each leaves a row of its run. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadJobs } from '../../core/config.ts';
import { Engine } from '../../core/engine.ts';
import { instruct } from '../../core/envelope.ts';
import { assembleProtocol, type ProtocolFolder } from '../../core/protocol.ts';
import { JobScheduler } from '../../core/scheduler.ts';
import { job } from '../../core/sources.ts';
import { synced } from '../../protocols/quiet/events/synced/schema.ts';
import { quiet } from '../../protocols/quiet/registry.gen.ts';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { atLeast, type Bench, type Figure, type Run } from '../figure.ts';

const JOBS = 5_000;
const HOUR_MS = 3_600_000;

const noteSyncedJob = job({ description: 'Returns one envelope.', params: {}, for_each: 'network' }, () => [
  instruct(synced, {}),
]);

/** Laid over Quiet: that many schedules of one job, and none of its own. */
const folderWith = (count: number): ProtocolFolder => ({
  root: 'bench',
  modules: { 'jobs/note.ts': { noteSyncedJob } },
  sql: {},
  jobs_yaml: [
    'jobs:',
    ...Array.from(
      { length: count },
      (_, n) =>
        `  - {name: note_${n}, function: note_synced_job, for_each: network, frequency_ms: ${HOUR_MS}}`,
    ),
  ].join('\n'),
});

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
      yield { jobs_per_s: (JOBS / (performance.now() - begun)) * 1_000 };
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
      what: `${JOBS} jobs of one envelope each that are due together, with their rows`,
      target: atLeast(5_000),
    },
  },
  measure,
};
