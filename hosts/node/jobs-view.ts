/** The scheduler as the API shows it. */
import type { NodeFacade } from '../../api/facade.ts';
import type { ViewPorts } from './ports.ts';
import { envelopeView, jobRunView, jobView } from './views.ts';

export function jobsView({
  parts,
  asking,
  find,
}: ViewPorts): Pick<
  NodeFacade,
  | 'jobs'
  | 'jobsNext'
  | 'jobRun'
  | 'jobPreview'
  | 'jobPause'
  | 'jobResume'
  | 'jobHistory'
  | 'jobWhy'
  | 'clockConfirm'
> {
  const { scheduler } = parts;
  const countPaused = (name: string) =>
    scheduler.list().filter((line) => line.name === name && line.state === 'paused').length;

  return {
    jobs: () => scheduler.list().map((line) => jobView(line, parts.jobs())),

    jobsNext: (limit) =>
      scheduler.next(limit).map(({ name, network_id, due_ms }) => ({ name, network_id, due_ms })),

    jobRun(name, input) {
      const runs = scheduler.run(name, find.identityOrNone(input));
      const failed = runs.filter((run) => run.outcome === 'failed').length;
      return { ran: runs.length - failed, failed, held: 0 };
    },

    jobPreview: (name, input) =>
      scheduler
        .preview(name, find.identityOrNone(input))
        .flatMap(({ envelopes }) => envelopes.map(envelopeView)),

    jobPause(name) {
      scheduler.pause(name);
      return { paused: countPaused(name) };
    },

    jobResume(name) {
      const resumed = countPaused(name);
      scheduler.resume(name);
      parts.tick();
      return { resumed };
    },

    jobHistory: (name, limit) =>
      scheduler.history(name ?? undefined, limit).map((run) => jobRunView(run, asking)),

    jobWhy: (name) =>
      scheduler
        .why(name)
        .map(({ reason, text, identity }) => ({ reason, text, network_id: asking.networkOf(identity) })),

    clockConfirm() {
      scheduler.confirmClock();
      parts.tick();
      return { suspect: scheduler.clockStatus().suspect };
    },
  };
}
