import { describe, expect, it } from 'vitest';
import { foundNetwork, overlaid, TestNode } from '../tests/support.ts';
import { event, instruct } from './envelope.ts';
import { eventType } from './event-type.ts';
import { id, integer } from './fields.ts';
import type { Protocol } from './protocol.ts';
import { query } from './query.ts';
import { command, job, reflector } from './sources.ts';

const ping = eventType({ name: 'ping', class: 'public', description: 'ping', body: { count: integer() } });
const count = query({
  description: 'count',
  params: {},
  row: { events: integer() },
  sql: 'SELECT count(*) AS events FROM event WHERE identity = :identity',
});
const unregistered = query({
  description: 'not in any file',
  params: {},
  row: { events: integer() },
  sql: 'SELECT count(*) AS events FROM event WHERE identity = :identity',
});
const readsContent = query({
  description: 'texts',
  params: {},
  row: { text: id() },
  sql: `SELECT content('text', body) AS text FROM event WHERE identity = :identity`,
});

type Run = Parameters<typeof job>[1];

function protocolWith(run: Run): Protocol {
  return overlaid({
    modules: {
      'events/ping/schema.ts': { ping },
      'events/ping/queries.ts': { count, readsContent },
      'jobs/test.ts': {
        testJob: job({ description: 'test', params: {}, for_each: 'network' }, run as never),
      },
    },
  });
}

function runJob(run: Run): unknown {
  const protocol = protocolWith(run);
  const node = new TestNode({ protocol });
  foundNetwork(node);
  return node.engine.pure.job(protocol.jobs.get('test_job')!, { a: { b: 1 } }, node.engine.scope(1, 1), {
    scheduled_for_ms: 1,
    missed: 0,
    attempt: 0,
  });
}

describe('pure functions are held to it, with an error that names the file', () => {
  const cases: readonly (readonly [string, string, Run])[] = [
    ['a promise', 'returned_promise', (async () => []) as never],
    ['a thenable', 'returned_promise', (() => Object.fromEntries([['then', () => undefined]])) as never],
    ['nothing', 'bad_return', (() => undefined) as never],
    ['something that is no envelope', 'bad_return', (() => [{ type: 'ping' }]) as never],
    [
      'more than the limit',
      'emitted_too_much',
      () => Array.from({ length: 10_001 }, () => event(ping, { count: 1 })),
    ],
    [
      'a change of its arguments',
      'argument_mutated',
      ((_query: unknown, params: { a: { b: number } }) => {
        params.a.b = 2;
        return [];
      }) as never,
    ],
    [
      'a new field in its ctx',
      'argument_mutated',
      ((_query: unknown, _params: unknown, ctx: Record<string, unknown>) => {
        ctx.more = 1;
        return [];
      }) as never,
    ],
    [
      'a change of rows it was given',
      'argument_mutated',
      (query) => {
        (query(count)[0] as { events: number }).events = 9;
        return [];
      },
    ],
    [
      'a throw',
      'threw',
      () => {
        throw new RangeError('a secret text');
      },
    ],
    [
      'a query that is not registered',
      'query_not_registered',
      (query) => query(unregistered).slice(1) as never,
    ],
    ['a query that opens content', 'query_opens_content', (query) => query(readsContent).slice(1) as never],
  ];

  it.each(cases)('%s is the error %s', (_what, code, run) => {
    expect(() => runJob(run)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining('test/jobs/test.ts') }),
    );
  });

  it('keeps what a foreign error said to itself, and says its class and place', () => {
    let message = '';
    try {
      runJob(() => {
        throw new RangeError('a secret text');
      });
    } catch (thrown) {
      message = String((thrown as Error).message);
    }
    expect(message).toMatch(/RangeError at .*pure\.test\.ts:\d+/);
    expect(message).not.toContain('secret');
  });

  it('S15: gives the same envelopes for the same snapshot, input, time and seed', () => {
    const once = runJob((query, _params, ctx) => [
      event(ping, { count: query(count)[0]!.events + ctx.now_ms }),
    ]);
    const twice = runJob((query, _params, ctx) => [
      event(ping, { count: query(count)[0]!.events + ctx.now_ms }),
    ]);
    expect(JSON.stringify(once)).toBe(JSON.stringify(twice));
  });

  it('writes are refused by the database while a pure function runs', () => {
    const node = new TestNode();
    foundNetwork(node);
    const before = node.all('SELECT count(*) AS n FROM event');
    const protocol = protocolWith(() => {
      node.db.exec('DELETE FROM event');
      return [];
    });
    const runner = new TestNode({ protocol, db: node.db });
    const run = () =>
      runner.engine.pure.job(protocol.jobs.get('test_job')!, {}, runner.engine.scope(1, 1), {
        scheduled_for_ms: 1,
        missed: 0,
        attempt: 0,
      });
    expect(run).toThrow(expect.objectContaining({ code: 'query_only' }));
    expect(node.all('SELECT count(*) AS n FROM event')).toEqual(before);
  });
});

describe('reflectors and commands', () => {
  it('a reflector that fails is recorded with its file, and the event stays', () => {
    const protocol = overlaid({
      modules: {
        'events/ping/schema.ts': { ping },
        'events/ping/commands.ts': {
          sendPing: command({ description: 'ping', input: {} }, () => [event(ping, { count: 1 })]),
        },
        'events/ping/reflectors.ts': {
          reflectBadly: reflector(ping, () => {
            throw new Error('no');
          }),
        },
      },
    });
    const node = new TestNode({ protocol });
    foundNetwork(node);
    node.engine.command('send_ping', 1, {});
    expect(node.all(`SELECT count(*) AS n FROM event WHERE type = 'ping'`)).toEqual([{ n: 1 }]);
    const failed = node.engine.trace.read(100).filter((entry) => entry.outcome === 'failed');
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({
      handler: 'reflect_badly',
      why: expect.stringContaining('test/events/ping/reflectors.ts'),
    });
  });

  it('S17: a reflector loop ends at the bound of depth, named in the trace and the counters', () => {
    const echo = eventType({ name: 'echo', class: 'local', description: 'echo', body: { depth: integer() } });
    const protocol = overlaid({
      modules: {
        'events/echo/schema.ts': { echo },
        'events/echo/commands.ts': {
          startEcho: command({ description: 'echo', input: {} }, () => [instruct(echo, { depth: 0 })]),
        },
        'events/echo/reflectors.ts': {
          reflectEcho: reflector(echo, (_query, heard) => [instruct(echo, { depth: heard.body.depth + 1 })]),
        },
      },
    });
    const node = new TestNode({ protocol });
    foundNetwork(node);
    expect(() => node.engine.command('start_echo', 1, {})).toThrow(
      expect.objectContaining({ code: 'depth_exceeded' }),
    );
    expect(node.engine.pipeline.counters.get('rejected:depth_exceeded')).toBe(1);
    expect(node.engine.trace.read(200).at(-1)).toMatchObject({
      outcome: 'reject',
      why: 'depth_exceeded',
      depth: 9,
    });
  });

  it('S17: a reflector that multiplies ends at the bound of number', () => {
    const echo = eventType({ name: 'echo', class: 'local', description: 'echo', body: {} });
    const protocol = overlaid({
      modules: {
        'events/echo/schema.ts': { echo },
        'events/echo/commands.ts': {
          startEcho: command({ description: 'echo', input: {} }, () => [instruct(echo, {})]),
        },
        'events/echo/reflectors.ts': {
          reflectEcho: reflector(echo, () => Array.from({ length: 10 }, () => instruct(echo, {}))),
        },
      },
    });
    const node = new TestNode({ protocol });
    foundNetwork(node);
    expect(() => node.engine.command('start_echo', 1, {})).toThrow();
    expect(node.engine.pipeline.counters.get('rejected:fan_out_exceeded')).toBe(1);
  });

  it('a command is all or nothing', () => {
    const protocol = overlaid({
      modules: {
        'events/ping/schema.ts': { ping },
        'events/ping/commands.ts': {
          halfBad: command({ description: 'bad', input: {} }, () => [
            event(ping, { count: 1 }),
            event(ping, { count: -1 }),
          ]),
        },
      },
    });
    const node = new TestNode({ protocol });
    foundNetwork(node);
    const seq = node.all('SELECT * FROM chain_head');
    expect(() => node.engine.command('half_bad', 1, {})).toThrow(/count/);
    expect(node.all(`SELECT count(*) AS n FROM event WHERE type = 'ping'`)).toEqual([{ n: 0 }]);
    expect(node.all('SELECT * FROM chain_head')).toEqual(seq);
  });
});
