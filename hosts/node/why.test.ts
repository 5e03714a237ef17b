import { describe, expect, it } from 'vitest';
import { foundNetwork, TestNode } from '../../tests/support.ts';
import type { StandingRow } from './finder.ts';
import { sentenceOn, waitsFor } from './why.ts';

const row = (more: Partial<StandingRow>): StandingRow => ({
  event_id: '0'.repeat(64),
  type: null,
  author: null,
  author_user_id: null,
  standing: 'waiting',
  rule: null,
  not_before_ms: 0,
  ...more,
});
const missing = [{ missing: 'a'.repeat(64) }];

describe('where an event stands', () => {
  it.each([
    ['dependency_missing', 'event'],
    ['key_missing', 'key'],
    ['author_not_a_member', 'device'],
    ['author_not_in_group', 'group'],
  ])('%s waits for a %s', (rule, what) => {
    expect(waitsFor(row({ rule }), missing)).toEqual([{ what, id: 'a'.repeat(64) }]);
  });

  it('from_the_future waits for a time, as text; a lost right for nothing that could be named', () => {
    const rule = 'from_the_future';
    expect(waitsFor(row({ rule, not_before_ms: 1_800_000_000_000 }), [])).toEqual([
      { what: 'time', id: '1800000000000' },
    ]);
    expect(waitsFor(row({ rule: 'right_not_in_force' }), [])).toEqual([]);
  });

  it('what an author of another group waits for is that group', () => {
    const node = new TestNode();
    foundNetwork(node);
    const blob = (byte: number) => new Uint8Array(32).fill(byte);
    node.db
      .prepare(
        `INSERT INTO waiting (identity, id, author, group_id, seq, rule, missing, received_ms, expires_ms, header, signature, body)
         VALUES (1, :id, :id, :group_id, 1, 'author_not_in_group', 0, 1, :id, :id, :id, :id)`,
      )
      .run({ id: blob(1), group_id: blob(2) });
    const missing = node.query<{ missing: string }>('get_missing', { event_id: blob(1).toHex() });
    expect(waitsFor(row({ rule: 'author_not_in_group' }), missing)).toEqual([
      { what: 'group', id: blob(2).toHex() },
    ]);
  });

  it('is one sentence, whatever the rule', () => {
    const standings: Partial<StandingRow>[] = [
      { standing: 'valid' },
      { standing: 'dead', rule: 'expired' },
      { standing: 'dead', rule: 'deleted' },
      { standing: 'refused', rule: 'author_may_delete' },
      ...['from_the_future', 'dependency_missing', 'author_not_a_member', 'author_not_in_group'].map(
        (rule) => ({ rule }),
      ),
      ...['author_removed', 'right_not_in_force', 'key_missing', 'something_new'].map((rule) => ({ rule })),
    ];
    const sentences = standings.map((standing) => sentenceOn(row(standing)));
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z][^_]*\.$/);
    expect(sentenceOn(row({ standing: 'refused', rule: 'author_may_delete' }))).toContain(
      'author may delete',
    );
  });
});
