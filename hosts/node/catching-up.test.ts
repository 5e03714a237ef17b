import { describe, expect, it } from 'vitest';
import { catchingUp, type FetchRow } from './catching-up.ts';

const row = (more: Partial<FetchRow>): FetchRow => ({
  ranges: '[["","ff"]]',
  left: 12_000,
  begun_n: 20_000,
  begun_ms: 1_000,
  ...more,
});

describe('how far a device is in catching up', () => {
  it('is nothing where nothing is fetched, or it is not known yet how much', () => {
    expect(catchingUp([], 5_000)).toBeNull();
    expect(catchingUp([row({ left: 0, begun_n: 0 })], 5_000)).toBeNull();
  });

  it('tells what is left of how much, and how long that takes at the pace since it began', () => {
    // 8,000 in four seconds.
    expect(catchingUp([row({})], 5_000)).toEqual({
      events_left: 12_000,
      events_total: 20_000,
      time_left_ms: 6_000,
    });
  });

  it('does not guess before anything has come, or where the clock went back', () => {
    expect(catchingUp([row({ left: 20_000 })], 5_000)?.time_left_ms).toBeNull();
    expect(catchingUp([row({})], 500)?.time_left_ms).toBeNull();
  });

  it('counts once what two sessions fetch from both ends, as the one that began first has it', () => {
    const newest = row({ ranges: '[["10","80"]]' });
    const oldest = row({ ranges: '[["40","90"]]', left: 12_500, begun_n: 16_000, begun_ms: 3_000 });
    for (const rows of [
      [newest, oldest],
      [oldest, newest],
    ])
      expect(catchingUp(rows, 5_000)).toEqual({
        events_left: 12_000,
        events_total: 20_000,
        time_left_ms: 6_000,
      });
  });

  it('adds up what two sessions fetch of different things; the slower one is waited for', () => {
    const other = row({ ranges: '[["90","a0"],["b0","c0"]]', left: 100, begun_n: 200, begun_ms: 0 });
    expect(catchingUp([row({ ranges: '[["10","90"]]' }), other], 5_000)).toEqual({
      events_left: 12_100,
      events_total: 20_200,
      time_left_ms: 6_000,
    });
  });
});
