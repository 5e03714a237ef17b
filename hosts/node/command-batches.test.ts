import { describe, expect, it } from 'vitest';
import { openNodeSqlite } from '../../storage/node-sqlite.ts';
import { FailingDb } from '../../tests/failing-db.ts';
import { foundNetwork, openedDb, TestNode, temporaryFolder } from '../../tests/support.ts';
import { CommandBatches } from './command-batches.ts';

function home(node = new TestNode()) {
  const { channel_id } = foundNetwork(node);
  const batches = new CommandBatches(node.engine);
  const say = (text: string, to = channel_id) =>
    batches.run({ name: 'send_message', identity: 1, input: { channel_id: to, text, ttl_ms: 0 } });
  const said = () =>
    node.query<{ text: string }>('get_messages', { channel_id, limit: 100 }).map((row) => row.text);
  return { node, say, said, batches };
}

describe('commands together', () => {
  it('S19: share a transaction, and are answered in their order when it is durable', async () => {
    const { node, say, said } = home();
    let commits = 0;
    const { transact } = node.engine;
    node.engine.transact = (...given) => {
      commits += 1;
      return transact.apply(node.engine, given) as never;
    };
    const texts = Array.from({ length: 20 }, (_, n) => `message ${n}`);
    const results = await Promise.all(texts.map((text) => say(text)));
    expect(commits).toBe(1);
    expect(said().reverse()).toEqual(texts);
    expect(new Set(results.map(({ event_ids }) => event_ids[0])).size).toBe(20);
    // Their numbers in the author's chain follow each other.
    const seqs = node
      .all(`SELECT seq FROM event WHERE type = 'message' ORDER BY seq`)
      .map((row) => row.seq as number);
    expect(seqs).toEqual(seqs.map((_, at) => seqs[0]! + at));
  });

  it('stand or fall by themselves', async () => {
    const { say, said } = home();
    const results = await Promise.allSettled([
      say('one'),
      say('nowhere', 'ab'.repeat(32)),
      say('x'.repeat(20_000)),
      say('two'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'not_found' } });
    expect(results[2]).toMatchObject({ reason: { code: 'bad_input' } });
    expect(said().reverse()).toEqual(['one', 'two']);
  });

  it('are done when the node ends right away', async () => {
    const { node, say, said, batches } = home();
    const saying = say('last words');
    batches.flush();
    expect(said()).toEqual(['last words']);
    node.db.close();
    await saying;
  });

  it('S19, F3: a storage that fails at any statement acknowledges none of them, and none has happened', async () => {
    const failing = new FailingDb(openedDb(`${temporaryFolder()}/sotto.db`, openNodeSqlite));
    failing.stays_broken = false;
    const { say, said } = home(new TestNode({ db: failing }));
    await say('before');
    let failed = 0;
    for (let left = 1; ; left++) {
      failing.left = left;
      const results = await Promise.allSettled([say('one'), say('two')]);
      failing.left = Number.POSITIVE_INFINITY;
      const states = new Set(results.map(({ status }) => status));
      expect(states.size).toBe(1);
      if (states.has('fulfilled')) break;
      failed += 1;
      expect(said()).toEqual(['before']);
    }
    expect(failed).toBeGreaterThan(30);
    expect(said().reverse()).toEqual(['before', 'one', 'two']);
  });
});
