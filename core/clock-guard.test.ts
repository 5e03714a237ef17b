import { describe, expect, it } from 'vitest';
import { jumpOf, type StoredClock, witnessesNeeded } from './clock-guard.ts';
import { limits } from './limits.ts';

const NOW = 1_767_225_600_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const believed: StoredClock = { highest_ms: NOW, suspect_since_ms: null, reason: null };
const at = (wall_ms: number, monotonic_ms = 0) => ({ wall_ms, monotonic_ms });

describe('between two looks of one process', () => {
  it.each<[string, number, number, string | null]>([
    ['time passes', DAY, DAY, null],
    ['40 days pass', 40 * DAY, 40 * DAY, null],
    ['a sleep that the monotonic clock does not count', 29 * DAY, 0, null],
    ['exactly the limit forward', limits.clock_forward_suspect_ms, 0, null],
    [
      'over the limit forward',
      limits.clock_forward_suspect_ms + 1,
      0,
      'it went forward 30 d that nothing explains',
    ],
    ['exactly the limit back', -limits.clock_backward_suspect_ms, 0, null],
    ['over the limit back', -limits.clock_backward_suspect_ms - 1, 0, 'it went back 5 min'],
    ['the clock stands while hours pass', 0, 8 * 60 * MINUTE, 'it went back 8 h'],
  ])('%s', (_what, wall, monotonic, expected) => {
    expect(jumpOf(believed, at(NOW, 50), at(NOW + wall, 50 + monotonic))).toBe(expected);
  });
});

describe('across a restart, where only the highest time seen is left', () => {
  it.each<[string, number, string | null]>([
    ['later', DAY, null],
    ['exactly the limit later', limits.clock_forward_suspect_ms, null],
    [
      'over the limit later',
      limits.clock_forward_suspect_ms + 1,
      'it is 30 d ahead of the time when this node last ran',
    ],
    ['exactly the limit earlier', -limits.clock_backward_suspect_ms, null],
    [
      'over the limit earlier',
      -limits.clock_backward_suspect_ms - 1,
      'it is 5 min behind the highest time seen',
    ],
  ])('%s', (_what, wall, expected) => {
    expect(jumpOf(believed, null, at(NOW + wall, 999_999_999))).toBe(expected);
  });

  it('a first start knows nothing to compare with', () => {
    expect(jumpOf({ ...believed, highest_ms: null }, null, at(0))).toBeNull();
  });

  it('while suspect, the highest time seen is not asked again', () => {
    const suspect = { ...believed, suspect_since_ms: NOW, reason: 'it went back' };
    expect(jumpOf(suspect, at(NOW - DAY), at(NOW - DAY + 5, 5))).toBeNull();
    expect(jumpOf(believed, at(NOW - DAY), at(NOW - DAY + 5, 5))).not.toBeNull();
  });
});

it('two other users have to agree, one where there is only one, and where there is none nobody can', () => {
  expect([0, 1, 2, 3, 1_000].map(witnessesNeeded)).toEqual([null, 1, 2, 2, 2]);
});
