import { describe, expect, it } from 'vitest';
import { type DeletionRow, deletionView } from './forgetting-view.ts';

const NOW = new Date(2026, 5, 1, 14, 2, 30).getTime();

const row = (more: Partial<DeletionRow>): DeletionRow => ({
  deletion_id: 'aa'.repeat(32),
  message_id: 'bb'.repeat(32),
  deleted_ms: NOW - 7_200_000,
  author_user_id: null,
  is_forgotten: false,
  unreachable_ms: null,
  devices: 5,
  others_forgotten: 0,
  forgotten_ms: null,
  ...more,
});
const shown = (more: Partial<DeletionRow>) => {
  const { state, text, devices_forgotten } = deletionView(row(more), 'alice');
  return { state, text, devices_forgotten };
};

describe('what is said of a deletion is what is known', () => {
  it('nothing of other devices, and no more than that it is deleted here, while a key is left', () => {
    expect(shown({})).toEqual({ state: 'deleted_here', text: 'deleted here', devices_forgotten: 0 });
  });

  it('on how many devices it cannot be had any more, this one counted by itself, the others by what they say', () => {
    expect(shown({ others_forgotten: 3 }).text).toBe('deleted on 3 of 5 devices');
    expect(shown({ is_forgotten: true, unreachable_ms: NOW, others_forgotten: 3 })).toEqual({
      state: 'deleted_on_some',
      text: 'deleted on 4 of 5 devices',
      devices_forgotten: 4,
    });
  });

  it('unreachable only where all have said so, and since the last of them did', () => {
    const all = { is_forgotten: true, unreachable_ms: NOW - 3_600_000, others_forgotten: 4 };
    expect(shown({ ...all, forgotten_ms: NOW })).toMatchObject({
      state: 'unreachable',
      text: 'unreachable since 2026-06-01 14:02',
    });
    // All others, and this one not yet: it is not.
    expect(shown({ others_forgotten: 4 }).state).toBe('deleted_on_some');
    expect(shown({ ...all, devices: 1, others_forgotten: 0 }).text).toBe(
      'unreachable since 2026-06-01 13:02',
    );
  });
});
