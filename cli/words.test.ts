/** Words for values: given this, people read that. */

import { expect, test } from 'vitest';
import { parseDuration, parseLifetime, parseSince } from './arguments.ts';
import { lifetime, named, printable, printableLines, soon, table, when, width } from './words.ts';

const now_ms = Date.UTC(2026, 0, 1);

test.each([
  [0, 'now'],
  [-999, 'now'],
  [12_400, 'in 13 s'],
  [7 * 86_400_000 - 50, 'in 7 days'],
  [-59_999, '59 s ago'],
  [-60_000, '1 minute ago'],
  [-3 * 60_000, '3 minutes ago'],
  [3_600_000, 'in 1 hour'],
  [-47 * 3_600_000, '1 day ago'],
  [30 * 86_400_000, 'in 30 days'],
  [31 * 86_400_000, '2026-02-01'],
  [-400 * 86_400_000, '2024-11-27'],
])('%i ms from now is %j', (distance_ms, words) => {
  expect(when(now_ms + distance_ms, now_ms)).toBe(words);
});

test('no time is never', () => expect(when(null)).toBe('never'));

test.each([
  ['0', 0],
  ['500ms', 500],
  ['30s', 30_000],
  ['30m', 1_800_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['1y', 31_536_000_000],
])('%s is %i ms', (text, duration_ms) => expect(parseDuration(text)).toBe(duration_ms));

test('never and 0 are for ever, where something lives', () => {
  expect(['never', '0', '1.5h'].map(parseLifetime)).toEqual([0, 0, 5_400_000]);
  expect(() => parseLifetime('Never')).toThrow(/or never, got "Never"/);
});

test.each([
  ['2h', now_ms - 7_200_000],
  ['0', now_ms],
  ['100y', 0],
  ['2025-12-31', Date.UTC(2025, 11, 31)],
  ['1970-01-01', 0],
])('since %s is since %i', (text, since_ms) => expect(parseSince(text, now_ms)).toBe(since_ms));

test.each(['2026-02-31', '2026-13-01', '2026-1-1', '1969-12-31', '2026-01-01T10:00', 'yesterday', '-2h', ''])(
  '%j is no time',
  (text) => expect(() => parseSince(text, now_ms)).toThrow(/Expected a duration .* or a date/),
);

test.each([
  [null, 'for ever'],
  [0, 'for ever'],
  [1_500, '1500 ms'],
  [90_000, '90 s'],
  [5_400_000, '90 minutes'],
  [36 * 3_600_000, '36 hours'],
  [86_400_000, '1 day'],
])('a span of %j ms is exactly %j', (span_ms, words) => expect(lifetime(span_ms)).toBe(words));

test('what is overdue is due now', () => {
  expect([now_ms - 5_000, now_ms, now_ms + 5_000].map((at_ms) => soon(at_ms, now_ms))).toEqual([
    'now',
    'now',
    'in 5 s',
  ]);
});

test.each([
  '',
  '7',
  'd',
  '-1d',
  '+1d',
  '1 d',
  '1D',
  '1e3s',
  '0.0001s',
  '1d2h',
  '99999999999y',
  '00x',
  'NaNs',
])('%j is no duration', (text) => expect(() => parseDuration(text)).toThrow(/Expected a duration/));

test.each([
  ['\u001b[2J', '\\u001b[2J'],
  ['a\rb', 'a\\u000db'],
  ['\u009b31m', '\\u009b31m'],
  ['alice\u202egnp', 'alice\\u202egnp'],
  ['a\u2028b', 'a\\u2028b'],
  ['Grüße 👩‍👩‍👧 שלום', 'Grüße 👩‍👩‍👧 שלום'],
])('%j is printed as %j', (text, shown) => expect(printable(text)).toBe(shown));

test.each([
  ['bob', 'bob (4f1d9a2c)'],
  ['bo\rb', 'bo\\u000db (4f1d9a2c)'],
  ['4f1d', '4f1d9a2c'],
  ['4f1d9a2c', '4f1d9a2c'],
  [`018f000000004f1d9a2c${'0'.repeat(44)}`, '4f1d9a2c'],
])('what was asked for as %j is called %j', (given, shown) =>
  expect(named(given, `018f000000004f1d9a2c${'0'.repeat(44)}`)).toBe(shown),
);

test('line breaks of a text stay, under its first line', () => {
  expect(printableLines('a\nb\r\nc', 2)).toBe('a\n  b\n  c');
});

test.each([
  ['abc', 3],
  ['Grüße', 5],
  ['日本', 4],
  ['👍', 2],
  ['👩‍👩‍👧', 2],
  ['❤️', 2],
])('%s takes %i columns', (text, columns) => expect(width(text)).toBe(columns));

test('columns are aligned by what they take, the last without padding', () => {
  expect(
    table(
      ['a', 'b'],
      [
        ['日本', 1],
        ['x', null],
      ],
      'none',
    ),
  ).toBe('a     b\n日本  1\nx     -');
  expect(table(['a'], [], 'none')).toBe('none');
});
