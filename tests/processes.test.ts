import { afterEach, describe, expect, it } from 'vitest';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { freePort, NodeProcess, until } from './process.ts';

interface Sent {
  readonly message_id: string;
}
interface Shown extends Sent {
  readonly text: string;
  readonly author: string;
}

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

/** A network of `count` running nodes, each with a member of its own. */
async function network(count: number): Promise<NodeProcess[]> {
  for (let index = 0; index < count; index++) {
    const node = new NodeProcess(`127.0.0.1:${await freePort()}`);
    nodes.push(node);
    await node.start();
  }
  const [founder, ...others] = nodes as [NodeProcess, ...NodeProcess[]];
  await founder.ask('POST', '/networks', { name: 'Home', as: 'user0' });
  const { link } = await founder.ask<{ link: string }>('POST', '/invites', { uses: count });
  for (const [index, node] of others.entries())
    await node.ask('POST', '/join', { link, as: `user${index + 1}` });
  return nodes;
}

const send = (node: NodeProcess, text: string) =>
  node.ask<Sent>('POST', '/messages', { channel: 'general', text });
const read = (node: NodeProcess) => node.ask<Shown[]>('GET', '/messages?channel=general&limit=1000');

/** The rows of the projection that all nodes must agree on, read from the files of stopped nodes. */
function rowsOf(node: NodeProcess): string[] {
  const db = openNodeSqlite(`${node.data}/sotto.db`);
  try {
    db.scalar('now_ms', { deterministic: true }, () => Date.now());
    const check = db.prepare('PRAGMA integrity_check').all();
    expect(check).toEqual([{ integrity_check: 'ok' }]);
    const events = db
      .prepare('SELECT hex(id) AS id, hex(header) AS header, hex(body) AS body FROM event ORDER BY id')
      .all();
    const messages = db
      .prepare(
        'SELECT hex(e.id) AS id, hex(c.id) AS channel, m.created_ms, m.seq FROM message m JOIN event e ON e.n = m.event JOIN event c ON c.n = m.channel ORDER BY e.id',
      )
      .all();
    return [...events, ...messages].map((row) => JSON.stringify(row));
  } finally {
    db.close();
  }
}

async function converged(all: readonly NodeProcess[], count: number): Promise<void> {
  await until(
    `${all.length} nodes show ${count} messages`,
    async () => {
      const shown = await Promise.all(
        all.map(async (node) => (await node.ask<{ messages: number }[]>('GET', '/channels'))[0]?.messages),
      );
      return shown.every((messages) => messages === count);
    },
    60_000,
  );
}

/** Waits until nobody has an event that somebody lacks: keys and addresses travel behind the messages. */
async function settled(all: readonly NodeProcess[]): Promise<void> {
  await until('all nodes have as many events', async () => {
    const counts = await Promise.all(
      all.map(async (node) => {
        const { networks } = await node.ask<{ networks: { events: number; waiting: number }[] }>(
          'GET',
          '/status',
        );
        return `${networks[0]?.events} ${networks[0]?.waiting}`;
      }),
    );
    return counts[0]?.endsWith(' 0') === true && counts.every((count) => count === counts[0]);
  });
}

describe('real nodes in real processes', () => {
  it('L1, L2: two nodes exchange 1,000 messages and end with the same rows', async () => {
    const [alice, bob] = (await network(2)) as [NodeProcess, NodeProcess];
    const ids = new Set<string>();
    for (let batch = 0; batch < 20; batch++) {
      const sent = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          send(index % 2 === 0 ? alice : bob, `message ${batch}.${index}`),
        ),
      );
      for (const { message_id } of sent) ids.add(message_id);
    }
    expect(ids.size).toBe(1_000);
    await converged([alice, bob], 1_000);
    const [at_alice, at_bob] = await Promise.all([read(alice), read(bob)]);
    expect(at_alice.map((message) => message.message_id)).toEqual(
      at_bob.map((message) => message.message_id),
    );
    expect(new Set(at_bob.map((message) => message.message_id))).toEqual(ids);
    await settled([alice, bob]);
    const took = await Promise.all([alice.end('SIGTERM'), bob.end('SIGTERM')]);
    expect(Math.max(...took)).toBeLessThan(2_000);
    expect(rowsOf(alice)).toEqual(rowsOf(bob));
  }, 120_000);

  it('S16, S19, F1: five nodes, any of them killed with kill -9 at any time, lose and double nothing that was acknowledged', async () => {
    const all = await network(5);
    const acknowledged = new Map<string, string>();
    let sent = 0;
    let kills = 0;
    const down = new Set<NodeProcess>();
    const killing = (async () => {
      // Every node dies at least twice, at moments that the others' work decides.
      for (let round = 0; round < 10; round++) {
        const node = all[round % all.length]!;
        down.add(node);
        await node.end('SIGKILL');
        kills += 1;
        await node.start();
        down.delete(node);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    while (sent < 1_000) {
      await Promise.all(
        all.map(async (node, index) => {
          if (down.has(node)) return;
          const text = `message ${sent} of ${index}`;
          try {
            const { message_id } = await send(node, text);
            acknowledged.set(message_id, text);
            sent += 1;
          } catch {
            // It was killed under our hands: what was not acknowledged may or may not exist.
          }
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await killing;
    expect(kills).toBe(10);
    let shown: Shown[][] = [];
    await until(
      'five nodes show the same messages, all acknowledged ones among them',
      async () => {
        shown = await Promise.all(all.map(read));
        const ids = shown.map((messages) => messages.map((message) => message.message_id).join());
        return ids.every((list) => list === ids[0]) && shown[0]!.length >= Math.min(1_000, acknowledged.size);
      },
      90_000,
    );
    await settled(all);
    await Promise.all(all.map((node) => node.end('SIGTERM')));
    const rows = all.map(rowsOf);
    for (const other of rows) expect(other).toEqual(rows[0]);
    const ids = rows[0]!
      .map((row) => JSON.parse(row) as { id: string; channel?: string })
      .filter((row) => row.channel !== undefined);
    expect(new Set(ids.map((row) => row.id)).size).toBe(ids.length);
    const stored = new Set(ids.map((row) => row.id.toLowerCase()));
    expect([...acknowledged.keys()].filter((id) => !stored.has(id))).toEqual([]);
  }, 240_000);

  it('a second start on the same data directory is refused with the pid of the first', async () => {
    const first = new NodeProcess('127.0.0.1:0');
    nodes.push(first);
    await first.start();
    const second = new NodeProcess('127.0.0.1:0', { data: first.data });
    nodes.push(second);
    await expect(second.start()).rejects.toThrow(new RegExp(`data_dir_in_use.*pid ${first.pid}\\b`, 's'));
    await first.end('SIGKILL');
    await expect(second.start()).resolves.toMatchObject({ listen: expect.stringContaining('127.0.0.1') });
  }, 60_000);
});
