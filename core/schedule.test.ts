import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits, NEVER_MS } from './limits.ts';
import { cronGrid, everyGrid, inWords, plan, retryDelayMs, timeInWords } from './schedule.ts';

const utc = (iso: string) => Date.parse(`${iso}Z`);

describe('grids', () => {
  it('of a period: agree with counting one by one', () => {
    const cases = fc.record({
      every: fc.integer({ min: 1, max: 50 }),
      offset: fc.nat(49),
      at: fc.integer({ min: 0, max: 500 }),
    });
    fc.assert(
      fc.property(cases, ({ every, offset, at }) => {
        const grid = everyGrid(every, offset % every);
        const points = Array.from({ length: 1_200 }, (_, ms) => ms - 100).filter(
          (ms) => (ms - offset) % every === 0,
        );
        expect(grid.next(at)).toBe(points.find((ms) => ms > at));
        expect(grid.newest(at)).toBe(points.findLast((ms) => ms <= at));
        const first = grid.next(at);
        const last = grid.newest(first + 300);
        expect(grid.count(first, last)).toBe(points.filter((ms) => ms >= first && ms <= last).length);
        expect(grid.back(last, 1)).toBe(points.findLast((ms) => ms < last));
      }),
    );
  });

  it('of cron, in UTC, also between seconds and at the very time', () => {
    const grid = cronGrid('30 3 * * 1');
    expect(grid.next(utc('2026-01-05T03:29:59.999'))).toBe(utc('2026-01-05T03:30'));
    expect(grid.next(utc('2026-01-05T03:30'))).toBe(utc('2026-01-12T03:30'));
    expect(grid.newest(utc('2026-01-05T03:30'))).toBe(utc('2026-01-05T03:30'));
    expect(grid.newest(utc('2026-01-05T03:30:00.001'))).toBe(utc('2026-01-05T03:30'));
    expect(grid.newest(utc('2026-01-05T03:29:59.999'))).toBe(utc('2025-12-29T03:30'));
    expect(grid.count(utc('2025-12-29T03:30'), utc('2026-01-12T03:30'))).toBe(3);
    expect(grid.back(utc('2026-01-12T03:30'), 2)).toBe(utc('2025-12-29T03:30'));
  });

  it('of cron: counting stops behind the cap', () => {
    expect(cronGrid('* * * * *').count(0, utc('2026-01-01T00:00'))).toBe(limits.misfire_all_max + 1);
  });

  it('of cron: no occurrence left is never', () => {
    expect(cronGrid('0 0 30 2 *').next(0)).toBe(NEVER_MS);
  });
});

describe('plan', () => {
  const grid = everyGrid(60, 0);
  const settled = (occurrence_ms: number, next_due_ms = occurrence_ms) => ({ occurrence_ms, next_due_ms });

  it('after the clock went back: the next number not yet spent, now, and the following at the next time', () => {
    expect(plan(grid, 'once', { occurrence_ms: 6_000, attempt: 0 }, 130)).toEqual({
      scheduled_for_ms: 6_000,
      missed: 0,
      settled: settled(6_060, 180),
    });
  });

  it('skip: a retry of the newest one is not late; one that a newer has overtaken is', () => {
    const slow = everyGrid(10_000, 0);
    expect(plan(slow, 'skip', { occurrence_ms: 20_000, attempt: 1 }, 29_000).scheduled_for_ms).toBe(20_000);
    expect(plan(slow, 'skip', { occurrence_ms: 20_000, attempt: 0 }, 29_000).scheduled_for_ms).toBeNull();
    expect(plan(slow, 'skip', { occurrence_ms: 20_000, attempt: 1 }, 32_000)).toEqual({
      scheduled_for_ms: null,
      missed: 2,
      settled: settled(40_000),
    });
  });

  it('all: the following one stays due until the newest is done', () => {
    expect(plan(grid, 'all', { occurrence_ms: 60, attempt: 0 }, 200)).toEqual({
      scheduled_for_ms: 60,
      missed: 0,
      settled: settled(120),
    });
    expect(plan(grid, 'all', { occurrence_ms: 180, attempt: 0 }, 200).settled).toEqual(settled(240));
  });
});

it('retries: doubled each time, capped, shortened by up to half', () => {
  const none = (length: number) => new Uint8Array(length);
  const full = (length: number) => new Uint8Array(length).fill(255);
  expect([1, 2, 3, 9, 10, 5_000].map((failures) => retryDelayMs(failures, full))).toEqual([
    1_000, 2_000, 4_000, 256_000, 300_000, 300_000,
  ]);
  expect([1, 2, 5_000].map((failures) => retryDelayMs(failures, none))).toEqual([500, 1_000, 150_000]);
});

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [-61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [93_784_000, '1 d 2 h'],
  [86_400_000 + 5_000, '1 d'],
])('%i ms in words: %s', (ms, words) => {
  expect(inWords(ms)).toBe(words);
});

it('times in words', () => {
  expect(timeInWords(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(timeInWords(NEVER_MS)).toBe('never');
});
