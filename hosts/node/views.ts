/**
 * How pieces of the running node are shown: nothing here is content or secret, so that all of it may be printed.
 */
import {
  type EnvelopeView,
  type JobRunView,
  type JobView,
  shortId,
  type TraceView,
} from '../../api/facade.ts';
import type { JobSpec } from '../../core/config.ts';
import type { Cause, Envelope } from '../../core/envelope.ts';
import { redact } from '../../core/event-type.ts';
import { NEVER_MS } from '../../core/limits.ts';
import type { JobRun } from '../../core/schedule-rows.ts';
import type { JobLine } from '../../core/scheduler-view.ts';
import type { TraceEntry } from '../../core/trace.ts';
import type { Asking } from './asking.ts';

/** `null` stands for never. */
export function shownExpiry(expires_ms: number): number | null {
  return expires_ms === NEVER_MS ? null : expires_ms;
}

function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'reflector':
      return `reflector ${cause.name}${cause.event_id === null ? '' : ` on ${shortId(cause.event_id)}`}`;
    case 'session':
      return `session ${cause.session_id.slice(0, 8)}`;
    default:
      return `${cause.kind} ${cause.name}`;
  }
}

export function traceView(entry: TraceEntry): TraceView {
  return { ...entry, cause: causeText(entry.cause) };
}

/** An envelope as a preview shows it. */
export function envelopeView(envelope: Envelope): EnvelopeView {
  if (envelope.draft === 'forward') {
    return {
      envelope: 'forward',
      type: null,
      body: { event_id: envelope.event_id, session_id: envelope.session_id },
    };
  }
  const body = redact(envelope.type, envelope.body);
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (typeof value === 'string' && value.length > 128) body[name] = { bytes: value.length / 2 };
    else if (value !== null && typeof value === 'object' && 'id_of' in value)
      body[name] = '(id of an envelope before it)';
  }
  return { envelope: envelope.draft, type: envelope.type.name, body };
}

/** One schedule row as the API shows it. */
export function jobView(line: JobLine, specs: readonly JobSpec[]): JobView {
  const spec = specs.find((candidate) => candidate.name === line.name);
  return {
    name: line.name,
    function: spec?.job?.name ?? '',
    identity: line.identity ?? 0,
    network_id: line.network_id,
    enabled: line.state !== 'disabled',
    paused: line.state === 'paused',
    schedule: line.after === null ? line.every : `${line.every}, after ${line.after}`,
    next_due_ms: line.next_due_ms,
    last_run_ms: line.last_run_ms,
    attempt: line.attempt,
  };
}

/** One recorded run as the API shows it. */
export function jobRunView(run: JobRun, asking: Asking): JobRunView {
  return {
    job: run.job,
    network_id: asking.networkOf(run.identity),
    scheduled_for_ms: run.scheduled_for_ms,
    started_ms: run.started_ms,
    duration_us: Math.round(run.duration_ms * 1000),
    emitted: run.emitted,
    missed: run.missed,
    outcome: run.outcome,
    error: run.error_class === null ? null : `${run.error_class} at ${run.error_place}`,
  };
}
