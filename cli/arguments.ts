/** Reads what people type: durations, numbers, rights, key=value, and names that go into a path. A wrong one says what was expected and what came. */

import { misused } from './failure.ts';

const ms_per_unit: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** As in `api/requests.ts`; the node checks again. */
const rows_max = 1_000;
export const receipts_max = 10_000;
const rights: readonly string[] = ['admin', 'invite', 'delete'];

/** `7d`, `1.5h`, `0` to milliseconds. Only 0 needs no unit. */
export function parseDuration(text: string): number {
  const duration_ms = durationIn(text);
  if (duration_ms !== null) return duration_ms;
  throw misused(
    'bad_duration',
    `Expected a duration such as 30s, 15m, 1h, 7d, 2w, 1y or 0, got ${JSON.stringify(text)}.`,
  );
}

/** How long something lives: a duration; `never` and `0` are for ever, and become 0. */
export function parseLifetime(text: string): number {
  const duration_ms = text === 'never' ? 0 : durationIn(text);
  if (duration_ms !== null) return duration_ms;
  throw misused(
    'bad_duration',
    `Expected a duration such as 30s, 15m, 1h, 7d, 2w, 1y, or never, got ${JSON.stringify(text)}.`,
  );
}

/** `7d`: so long ago; `2026-01-31`: when that day began, in UTC, as dates are shown. */
export function parseSince(text: string, now_ms: number = Date.now()): number {
  const duration_ms = durationIn(text);
  if (duration_ms !== null) return Math.max(0, now_ms - duration_ms);
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  // The 31st of February would be one in March.
  if (day !== null && day.getTime() >= 0 && day.toISOString().startsWith(text)) return day.getTime();
  throw misused(
    'bad_time',
    `Expected a duration such as 12h or 7d, or a date such as 2026-01-31, got ${JSON.stringify(text)}.`,
  );
}

function durationIn(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/.exec(text);
  const duration_ms = text === '0' ? 0 : Number(match?.[1]) * (ms_per_unit[match?.[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(duration_ms) ? duration_ms : null;
}

export function parseLimit(text: string): number {
  return parseCount(text, rows_max);
}

/** A whole number from 1 to `count_max`. */
export function parseCount(text: string, count_max: number = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > count_max) {
    const range = count_max === Number.MAX_SAFE_INTEGER ? 'from 1' : `from 1 to ${count_max}`;
    throw misused('bad_number', `Expected a whole number ${range}, got ${JSON.stringify(text)}.`);
  }
  return number;
}

/** Collects repeated `-p key=value` into one object. */
export function parseParameter(
  text: string,
  parameters: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) {
    throw misused(
      'bad_parameter',
      `Expected key=value, got ${JSON.stringify(text)}. Write -p channel_id=4f1d9a2c.`,
    );
  }
  const key = text.slice(0, at);
  if (Object.hasOwn(parameters, key)) {
    throw misused('bad_parameter', `The parameter ${key} is given twice. Give it once.`);
  }
  // Not by assignment: `__proto__` is a name like any other here.
  return Object.fromEntries([...Object.entries(parameters), [key, text.slice(at + 1)]]);
}

export function parseRight(text: string): string {
  if (!rights.includes(text)) {
    throw misused('bad_right', `Expected a right (${rights.join(', ')}), got ${JSON.stringify(text)}.`);
  }
  return text;
}

/**
 * What somebody typed as one part of a path. `.` and `..` are names like any other to the node, but whatever reads a URL takes them for
 * steps: `group remove .. bob` would remove Bob from the network.
 */
export function inPath(text: string | undefined): string {
  if (text === undefined || /^\.{0,2}$/.test(text)) {
    throw misused('bad_name', `Expected a name or an id, got ${JSON.stringify(text ?? '')}. Give the id.`);
  }
  return encodeURIComponent(text);
}
