import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openNodeSqlite, openNodeSqliteToRead } from '../storage/node-sqlite.ts';
import { foundNetwork, TestNode, temporaryFolder } from '../tests/support.ts';
import { Purges } from './purges.ts';

const timers = {
  set: (run: () => void, delay_ms: number) => {
    const timer = setTimeout(run, delay_ms);
    return () => clearTimeout(timer);
  },
};
const purgesOf = ({ engine, db }: TestNode, path: string) =>
  new Purges({ engine, db, path, timers, log: () => undefined });

interface Key {
  readonly key_id: string;
  readonly slot: number;
}

/** A node with a key whose only message was deleted, and the slot's secret. */
function withDirtyKey() {
  const path = join(temporaryFolder(), 'sotto.db');
  const node = new TestNode({ db: openNodeSqlite(path) });
  const { channel_id } = foundNetwork(node);
  const send = node.engine.command('send_message', 1, { channel_id, text: 'goes', ttl_ms: 0 });
  node.engine.command('remove_message', 1, { message_id: send.event_ids[0] });
  const [key] = node.all(
    'SELECT lower(hex(id)) AS key_id, slot FROM group_key WHERE dirty_ms IS NOT NULL',
  ) as unknown as Key[];
  for (const job of ['rekey_creation_job', 'rekey_creation_job', 'delete_rekeyed_events_job'])
    node.runJob(job);
  return { node, path, key: key! };
}

const receipts = (node: TestNode) =>
  node.query<{ kind: string; key_id: string; zeroed_ms: number | null }>(
    'get_receipts',
    { since_ms: 0, limit: 100, network_id: null },
    0,
  );

describe('L5: an erasure', () => {
  it('is receipted once the log is scrubbed, and told to the host by an effect', () => {
    const { node, path, key } = withDirtyKey();
    node.runJob('purge_unused_keys_job', { grace_ms: 0 });
    expect(node.effects.some(({ effect }) => effect === 'purged')).toBe(true);
    expect(receipts(node)).toMatchObject([{ kind: 'group_key', key_id: key.key_id, zeroed_ms: null }]);
    const purges = purgesOf(node, path);
    expect(purges.finish()).toBe(true);
    expect(receipts(node)).toMatchObject([{ key_id: key.key_id, zeroed_ms: node.clock.wall }]);
    purges.close();
  });

  it('F25: waits for a reader that pins the log, and is finished by itself once it has gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { node, path } = withDirtyKey();
      const reader = openNodeSqliteToRead(path);
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM event').get();
      node.runJob('purge_unused_keys_job', { grace_ms: 0 });
      const purges = purgesOf(node, path);
      purges.due();
      await vi.advanceTimersByTimeAsync(0);
      expect(receipts(node)).toMatchObject([{ zeroed_ms: null }]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(receipts(node)).toMatchObject([{ zeroed_ms: null }]);
      reader.exec('ROLLBACK');
      reader.close();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(receipts(node)).toMatchObject([{ zeroed_ms: node.clock.wall }]);
      purges.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('that was cut short is finished at the next start, before anything else', () => {
    const { node, path, key } = withDirtyKey();
    node.runJob('purge_unused_keys_job', { grace_ms: 0 });
    node.db.close();
    const again = new TestNode({ db: openNodeSqlite(path), clock: node.clock });
    expect(receipts(again)).toMatchObject([{ key_id: key.key_id, zeroed_ms: null }]);
    const purges = purgesOf(again, path);
    purges.start();
    expect(receipts(again)).toMatchObject([{ key_id: key.key_id, zeroed_ms: node.clock.wall }]);
    purges.close();
  });
});
