/** `jobs`, `clock`: what runs when, what ran, and what keeps it from running. */

import type { Command } from 'commander';
import { inPath, parseLimit } from '../arguments.ts';
import { type Answer, addGroup, selectorIn, verb, withSelectors } from '../verb.ts';
import { printable, shortOrDash, table, when } from '../words.ts';

const jobPath = (name: string | undefined, verb_name: string) => `/v1/jobs/${inPath(name)}/${verb_name}`;

export function addJobCommands(program: Command): void {
  const jobs = addGroup(program, 'jobs', 'See and steer the scheduler.', 'jobs list');
  verb(jobs.command('list').description('List the jobs with their state.'), {
    example: 'jobs list',
    ask: (node) => node.get<Answer<'jobs'>>('/v1/jobs'),
    show: (all) =>
      table(
        ['job', 'network', 'schedule', 'next', 'last run', 'state'],
        all.map((job) => [
          job.name,
          shortOrDash(job.network_id),
          job.schedule,
          when(job.next_due_ms),
          when(job.last_run_ms),
          jobState(job),
        ]),
        'No jobs.',
      ),
  });
  verb(
    jobs
      .command('next')
      .description('List the next occurrences over all jobs, soonest first.')
      .option('--limit <count>', 'how many', parseLimit, 10),
    {
      example: 'jobs next --limit 3',
      ask: (node, _, { limit }) => node.get<Answer<'jobsNext'>>('/v1/jobs/next', { limit }),
      show: (next) =>
        table(
          ['due', 'job', 'network'],
          next.map((one) => [when(one.due_ms), one.name, shortOrDash(one.network_id)]),
          'Nothing is due.',
        ),
    },
  );
  verb(
    withSelectors(
      jobs.command('run').argument('<name>').description('Run a job now. Its schedule stays as it is.'),
    ),
    {
      example: 'jobs run sync_request',
      ask: (node, [name], options) => node.post<Answer<'jobRun'>>(jobPath(name, 'run'), selectorIn(options)),
      show: ({ ran, failed, held }) => `Ran ${ran}, failed ${failed}, held ${held}.`,
    },
  );
  verb(
    withSelectors(
      jobs
        .command('preview')
        .argument('<name>')
        .description('Show what a job would emit now, without effect. Content is shown by length only.'),
    ),
    {
      example: 'jobs preview sync_request',
      ask: (node, [name], options) =>
        node.post<Answer<'jobPreview'>>(jobPath(name, 'preview'), selectorIn(options)),
      show: (envelopes) =>
        table(
          ['envelope', 'type', 'body'],
          envelopes.map((one) => [one.envelope, one.type, JSON.stringify(one.body)]),
          'It would emit nothing.',
        ),
    },
  );
  verb(jobs.command('pause').argument('<name>').description('Pause a job.'), {
    example: 'jobs pause sync_request',
    ask: (node, [name]) => node.post<Answer<'jobPause'>>(jobPath(name, 'pause')),
    show: ({ paused }) => `Paused ${paused}.`,
  });
  verb(
    jobs
      .command('resume')
      .argument('<name>')
      .description('Resume a paused job. Paused time counts as nothing missed.'),
    {
      example: 'jobs resume sync_request',
      ask: (node, [name]) => node.post<Answer<'jobResume'>>(jobPath(name, 'resume')),
      show: ({ resumed }) => `Resumed ${resumed}.`,
    },
  );
  verb(
    jobs
      .command('history')
      .argument('[name]')
      .description('List recent runs, of one job or of all. A run that did nothing is not recorded.')
      .option('--limit <count>', 'how many', parseLimit, 50),
    {
      example: 'jobs history sync_request --limit 5',
      ask: (node, [name], { limit }) => node.get<Answer<'jobHistory'>>('/v1/jobs/history', { name, limit }),
      show: showHistory,
    },
  );
  verb(jobs.command('why').argument('<name>').description('Say what keeps a job from running.'), {
    example: 'jobs why purge_keys',
    ask: (node, [name]) => node.get<Answer<'jobWhy'>>(jobPath(name, 'why')),
    show: (reasons) =>
      reasons.length === 0
        ? 'Nothing keeps it from running.'
        : reasons
            .map(({ reason, text, network_id }) =>
              printable(
                `${reason}: ${text}${network_id === null ? '' : ` (network ${shortOrDash(network_id)})`}`,
              ),
            )
            .join('\n'),
  });

  const clock = addGroup(program, 'clock', "The node's clock.", 'clock confirm');
  verb(
    clock.command('confirm').description('Say that the clock is right, so that jobs which destroy go on.'),
    {
      example: 'clock confirm',
      ask: (node) => node.post<Answer<'clockConfirm'>>('/v1/clock/confirm'),
      show: ({ suspect }) => (suspect ? 'The clock is still suspect.' : 'The clock is trusted.'),
    },
  );
}

function jobState(job: Answer<'jobs'>[number]): string {
  if (!job.enabled) return 'disabled';
  if (job.paused) return 'paused';
  return job.attempt > 0 ? `failing, try ${job.attempt}` : 'on';
}

function showHistory(runs: Answer<'jobHistory'>): string {
  return table(
    ['started', 'job', 'network', 'took', 'emitted', 'missed', 'outcome'],
    runs.map((run) => [
      when(run.started_ms),
      run.job,
      shortOrDash(run.network_id),
      `${(run.duration_us / 1_000).toFixed(1)} ms`,
      run.emitted,
      run.missed,
      run.error === null ? run.outcome : `${run.outcome}: ${run.error}`,
    ]),
    'No runs.',
  );
}
