/** Turns values into what people read: times in words, ids short, columns aligned, and nothing that a peer wrote can steer the terminal. */

import { shortId } from '../api/facade.ts';

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;

/** A span in one unit: `12 s`, `3 minutes`, `1 hour`, `5 days`. */
export function span(span_ms: number): string {
  if (span_ms < minute_ms) return `${Math.floor(span_ms / 1_000)} s`;
  if (span_ms < hour_ms) return counted(Math.floor(span_ms / minute_ms), 'minute');
  if (span_ms < day_ms) return counted(Math.floor(span_ms / hour_ms), 'hour');
  return counted(Math.floor(span_ms / day_ms), 'day');
}

/** A span that somebody chose, exactly: `7 days`, `36 hours`, `90 s`; 0 is for ever. */
export function lifetime(span_ms: number | null): string {
  if (span_ms === null || span_ms === 0) return 'for ever';
  if (span_ms % day_ms === 0) return counted(span_ms / day_ms, 'day');
  if (span_ms % hour_ms === 0) return counted(span_ms / hour_ms, 'hour');
  if (span_ms % minute_ms === 0) return counted(span_ms / minute_ms, 'minute');
  return span_ms % 1_000 === 0 ? `${span_ms / 1_000} s` : `${span_ms} ms`;
}

/** A time as seen from now: `3 minutes ago`, `in 12 s`, `now`; a date where it is more than a month away. */
export function when(at_ms: number | null, now_ms: number = Date.now()): string {
  if (at_ms === null) return 'never';
  const distance_ms = Math.abs(at_ms - now_ms);
  if (distance_ms < 1_000) return 'now';
  if (distance_ms >= 31 * day_ms) return new Date(at_ms).toISOString().slice(0, 10);
  if (at_ms < now_ms) return `${span(distance_ms)} ago`;
  // Up to the next second: what was to live 7 days a moment ago has 7 days left, not 6.
  return `in ${span(Math.ceil(distance_ms / 1_000) * 1_000)}`;
}

/** When something that is due is done: where its time has come, that is now. */
export function soon(due_ms: number, now_ms: number = Date.now()): string {
  return due_ms <= now_ms ? 'now' : when(due_ms, now_ms);
}

/** A device is a key, not an event: its id has no time in front. */
export function shortDevice(device_id: string): string {
  return device_id.slice(0, 8);
}

export function shortOrDash(event_id: string | null): string {
  return event_id === null ? '-' : shortId(event_id);
}

/** Whom or what somebody meant, and what it is: `bob (4f1d9a2c)`; the id alone where they gave that. */
export function named(given: string | undefined, event_id: string): string {
  const id = shortId(event_id);
  const by_id = given === undefined || event_id === given || id.startsWith(given);
  return by_id ? id : `${printable(given)} (${id})`;
}

/** `1 device`, `2 devices`. */
export function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A large number as people read it: `12,000`. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

/**
 * Text from elsewhere, safe to print: control characters and those that reorder a line become visible escapes.
 * Otherwise a message could clear Bob's screen, or write somebody else's name in front of its text.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same, with its line breaks kept and every further line moved under the first. */
export function printableLines(text: string, indent: number): string {
  return text
    .split(/\r?\n/)
    .map(printable)
    .join(`\n${' '.repeat(indent)}`);
}

const graphemes = new Intl.Segmenter();
const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60]/u;

/** Columns that a text takes in a terminal: most East Asian characters and emoji take two. */
export function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is the common case, and its width is its length.
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += wide.test(segment) ? 2 : 1;
  }
  return columns;
}

export type Cell = string | number | boolean | null;

/** Rows under headings, aligned; `none` where there are no rows. The last column is not padded. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], none: string): string {
  if (rows.length === 0) return none;
  const lines = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell ?? '-'))));
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines.map((line) => alignLine(line, widths)).join('\n');
}

/** Names and values under each other. */
export function fields(pairs: readonly (readonly [string, Cell])[]): string {
  const name_width = Math.max(...pairs.map(([name]) => name.length));
  return pairs
    .map(([name, value]) => `${name.padEnd(name_width)}  ${printable(String(value ?? '-'))}`)
    .join('\n');
}

function alignLine(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
    .join('  ')
    .trimEnd();
}
