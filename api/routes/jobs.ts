/** Routes of the scheduler: what runs when, and why not. */

import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeFacade } from '../facade.ts';
import * as requests from '../requests.ts';
import { define } from '../route.ts';
import * as views from '../views.ts';

export function addJobRoutes(app: OpenAPIHono, node: NodeFacade): void {
  const params = requests.job_path;
  define(
    app,
    { method: 'get', path: '/v1/jobs', summary: 'The schedule.' },
    z.array(views.job_view).readonly(),
    () => node.jobs(),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/jobs/next',
      summary: 'The next occurrences over all jobs, soonest first.',
      query: requests.next_query,
    },
    views.answers.jobsNext,
    ({ query }) => node.jobsNext(query.limit),
  );
  define(
    app,
    {
      method: 'get',
      path: '/v1/jobs/history',
      summary: 'Recent runs, of one job or of all.',
      query: requests.history_query,
    },
    z.array(views.job_run_view).readonly(),
    ({ query }) => node.jobHistory(query.name ?? null, query.limit),
  );
  define(
    app,
    { method: 'get', path: '/v1/jobs/{name}/why', summary: 'What keeps a job from running.', params },
    views.answers.jobWhy,
    ({ path }) => node.jobWhy(path.name),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/jobs/{name}/run',
      summary: 'Run a job now. Its grid stays where it is.',
      params,
      body: requests.selection,
    },
    views.answers.jobRun,
    ({ path, body }) => node.jobRun(path.name, body),
  );
  define(
    app,
    {
      method: 'post',
      path: '/v1/jobs/{name}/preview',
      summary: 'What a job would emit now, without effect.',
      params,
      body: requests.selection,
    },
    z.array(views.envelope_view).readonly(),
    ({ path, body }) => node.jobPreview(path.name, body),
  );
  define(
    app,
    { method: 'post', path: '/v1/jobs/{name}/pause', summary: 'Pause a job.', params },
    views.answers.jobPause,
    ({ path }) => node.jobPause(path.name),
  );
  define(
    app,
    { method: 'post', path: '/v1/jobs/{name}/resume', summary: 'Resume a paused job.', params },
    views.answers.jobResume,
    ({ path }) => node.jobResume(path.name),
  );
}
