/**
 * Keeps the rows of the schedule in step with what they depend on besides time: the jobs that are loaded, the
 * identities there are, and a clock that went back.
 */
import type { JobSpec } from './config.ts';
import type { Id } from './fields.ts';
import { NEVER_MS } from './limits.ts';
import type { ScheduleRow, ScheduleRows } from './schedule-rows.ts';

/** Adds, changes and removes rows until they fit. Inside a transaction. */
export function fitRows(
  rows: ScheduleRows,
  specs: ReadonlyMap<string, JobSpec>,
  identities: readonly { readonly identity: number; readonly network_id: Id }[],
  now_ms: number,
): void {
  for (const job of rows.jobs()) {
    if (!specs.has(job)) for (const row of rows.of(job)) rows.remove(job, row.identity);
  }
  for (const spec of specs.values()) {
    const wanted = new Map<number, Id | null>();
    if (spec.for_each === 'node') wanted.set(0, null);
    else for (const { identity, network_id } of identities) wanted.set(identity, network_id);

    for (const row of rows.of(spec.name)) {
      const fits = wanted.get(row.identity) === row.network_id;
      if (fits) fitRow(rows, spec, row, now_ms);
      else rows.remove(spec.name, row.identity);
      if (fits) wanted.delete(row.identity);
    }
    for (const [identity, network_id] of wanted) {
      const occurrence_ms = spec.grid.next(now_ms);
      const place = { occurrence_ms, next_due_ms: spec.enabled ? occurrence_ms : NEVER_MS };
      rows.add({
        job: spec.name,
        identity,
        network_id,
        grid: spec.grid.text,
        ...place,
        disabled: !spec.enabled,
      });
    }
    bringForward(rows, spec, now_ms);
  }
  rows.unpark('waiting', now_ms); // what they wait for may be another job now
}

/** A row whose grid is the same keeps its place on it; any other starts afresh, and stays paused if it was. */
function fitRow(rows: ScheduleRows, spec: JobSpec, row: ScheduleRow, now_ms: number): void {
  const disabled = !spec.enabled;
  if (row.grid === spec.grid.text && row.disabled === disabled) return;
  const begun = fromNowOn(spec, row, now_ms);
  const next_due_ms = disabled || row.paused_since_ms !== null ? NEVER_MS : begun.next_due_ms;
  rows.change(row.id, { ...begun, next_due_ms, parked: null, disabled, grid: spec.grid.text });
}

/** Where a row goes on that starts afresh: nothing before now counts as missed, and no occurrence that is spent comes again. */
export function fromNowOn(spec: JobSpec, row: ScheduleRow, now_ms: number) {
  const due_ms = spec.grid.next(now_ms);
  const unspent_ms = row.last_occurrence_ms === null ? due_ms : spec.grid.next(row.last_occurrence_ms);
  return { occurrence_ms: Math.max(due_ms, unspent_ms), next_due_ms: due_ms, attempt: 0, drained: 0 };
}

/**
 * After the clock went back, rows lie further ahead than they were meant to. One that is due within two occurrences
 * waits for its time: a second run right after the first would be worse than a pause a little longer. Others are due at
 * the next occurrence by the present clock, where `plan` runs them under an occurrence that is not spent yet; so no job
 * stands still for the length of the jump.
 */
export function bringForward(rows: ScheduleRows, spec: JobSpec, now_ms: number): void {
  const next_ms = spec.grid.next(now_ms);
  rows.bringForward(spec.name, spec.grid.next(next_ms), next_ms, now_ms);
}
