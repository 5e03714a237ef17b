/**
 * Has every record of a database checked, by a process of its own: it reads the database itself, which this one never opens, and can be checked
 * against what the node says of itself.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type CliFailure, refused } from './failure.ts';

export interface RecordsCheck {
  readonly records: number;
  readonly problems: readonly { readonly event_id: string | null; readonly problem: string }[];
  /** Rows of projections that were compared with a rebuild from the records. */
  readonly compared: number;
  /** Why they were not compared; null: they were. */
  readonly skipped: string | null;
}

interface Progressed {
  readonly done: number;
  readonly of: number;
}

/** Of what the process says on stderr, the end is kept: an exception stands there. */
const stderr_chars_kept = 4_000;

/**
 * Runs `script`, which prints JSON lines: `{"progress"}` as often as it likes, and at last `{"result"}`.
 *
 * @throws CliFailure `records_unchecked` where it ends without a result or with a failure; with what it said on stderr
 */
export async function checkRecords(
  script: string,
  args: readonly string[],
  onProgress: (progress: Progressed) => void,
): Promise<RecordsCheck> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-stderr_chars_kept);
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  let result: RecordsCheck | null = null;
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    const told = parse(line);
    if (isProgress(told?.progress)) onProgress(told.progress);
    if (isResult(told?.result)) result = told.result;
  }
  const failed = await ended;
  if (failed !== null) throw unchecked(`The process that checks them ended with ${failed}`, said);
  if (result === null) throw unchecked('The process that checks them ended without a result', said);
  return result;
}

function unchecked(why: string, said: string): CliFailure {
  const words = said.trim();
  return refused(
    'records_unchecked',
    `The records could not be checked. ${why}${words === '' ? ', and said nothing.' : `:\n${words}`}`,
  );
}

function parse(line: string): { progress?: unknown; result?: unknown } | null {
  try {
    const told: unknown = JSON.parse(line);
    return typeof told === 'object' ? told : null;
  } catch {
    return null;
  }
}

function isProgress(told: unknown): told is Progressed {
  const { done, of } = (told ?? {}) as Partial<Progressed>;
  return typeof done === 'number' && typeof of === 'number';
}

function isResult(told: unknown): told is RecordsCheck {
  const { records, problems, compared, skipped } = (told ?? {}) as Partial<RecordsCheck>;
  return (
    typeof records === 'number' &&
    typeof compared === 'number' &&
    (skipped === null || typeof skipped === 'string') &&
    Array.isArray(problems) &&
    problems.every(
      ({ event_id, problem }) =>
        typeof problem === 'string' && (event_id === null || typeof event_id === 'string'),
    )
  );
}
