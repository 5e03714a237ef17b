import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { assembleProtocol } from '../core/protocol.ts';
import { readProtocolFolder } from '../hosts/node/protocol-folder.ts';
import { quiet } from '../protocols/quiet/registry.gen.ts';
import { freePort, NodeProcess, until } from './process.ts';
import { foundNetwork, joinNetwork, TestNode, wire } from './support.ts';

const TASKS = fileURLToPath(new URL('../examples/tasks', import.meta.url));

const nodes: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.end('SIGKILL')));
});

describe('a protocol folder of an app (examples/tasks)', () => {
  it('its types, query, command, job and reflector work with no change in core/', async () => {
    const protocol = assembleProtocol([quiet, await readProtocolFolder(TASKS)]);
    const alice = new TestNode({ protocol });
    const bob = new TestNode({ protocol, clock: alice.clock });
    const { channel_id } = foundNetwork(alice);
    joinNetwork(alice, bob);
    wire(alice, bob);
    alice.engine.command('add_task', 1, {
      channel_id,
      what: 'water the plants',
      due_ms: alice.clock.wall + 60_000,
    });
    wire(alice, bob);
    const task = bob.query<{ task_id: string; what: string }>('get_tasks')[0];
    expect(task).toMatchObject({ what: 'water the plants', done: 0 });

    const nudge = (node: TestNode) =>
      node.engine.pure.job(
        protocol.jobs.get('nudge_job')!,
        { batch: 10 },
        node.engine.scope(1, node.clock.wall),
        { scheduled_for_ms: node.clock.wall, missed: 0, attempt: 0 },
      );
    expect(nudge(alice)).toEqual([]);
    alice.clock.pass(61_000);
    expect(nudge(alice)).toMatchObject([{ draft: 'instruction', body: { task_id: task?.task_id } }]);
    expect(nudge(bob)).toEqual([]);

    bob.engine.command('finish_task', 1, { task_id: task?.task_id });
    wire(alice, bob);
    expect(alice.query('get_tasks')).toMatchObject([{ done: 1, nudged: 1 }]);
    expect(nudge(alice)).toEqual([]);
  });

  it('a node runs it by --protocol: two processes share tasks, and the job nudges', async () => {
    for (let index = 0; index < 2; index++) {
      const node = new NodeProcess(`127.0.0.1:${await freePort()}`, { args: ['--protocol', TASKS] });
      nodes.push(node);
      await node.start();
    }
    const [alice, bob] = nodes as [NodeProcess, NodeProcess];
    const { channel_id } = await alice.ask<{ channel_id: string }>('POST', '/networks', {
      name: 'Home',
      as: 'alice',
    });
    const { link } = await alice.ask<{ link: string }>('POST', '/invites', {});
    await bob.ask('POST', '/join', { link, as: 'bob' });
    const due_ms = String(Date.now() + 1_500);
    await alice.ask('POST', '/commands/add_task', { input: { channel_id, what: 'call home', due_ms } });
    const tasks = (node: NodeProcess) =>
      node.ask<{ what: string; nudged: number; task_id: string }[]>('POST', '/queries/get_tasks', {});
    await until('alice is nudged by the job', async () => (await tasks(alice))[0]?.nudged === 1);
    await until('bob has the task', async () => (await tasks(bob))[0]?.what === 'call home');
    expect(await alice.ask('GET', '/jobs/history?name=nudge_overdue')).toMatchObject([
      { job: 'nudge_overdue', outcome: 'done', emitted: 1 },
    ]);
  }, 60_000);
});
