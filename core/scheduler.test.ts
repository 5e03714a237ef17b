import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNodeSqlite } from '../storage/node-sqlite.ts';
import { SottoError } from './assert.ts';
import type { Db } from './db.ts';
import { text } from './fields.ts';
import { limits, NEVER_MS } from './limits.ts';
import { DAY, failingAt, HOUR, MINUTE, networkId, notes, SECOND, START, World } from './scheduler.fake.ts';

const opened: Db[] = [];
const memory = () => {
  const db = openNodeSqlite(':memory:');
  opened.push(db);
  return db;
};
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

let world: World;
beforeEach(() => {
  world = new World(memory());
});

/** A `jobs.yaml` of `name: more keys`, in which `every` stands for frequency_ms; function `<name>_job`. */
function yaml(entries: Record<string, string>): string {
  const lines = Object.entries(entries).map(
    ([name, keys]) =>
      `  - { name: ${name}, function: ${name}_job, ${keys.replace('every:', 'frequency_ms:')} }`,
  );
  return ['jobs:', ...lines, ''].join('\n');
}

const networkParam = () => ({ network: text(64) });
const offsets = (ran: readonly { scheduled_for_ms: number }[]) =>
  ran.map((run) => run.scheduled_for_ms - START);
const fail = () => {
  throw new SottoError('broken', 'It is broken.');
};

describe('grid, not drift', () => {
  it('an occurrence lies on the grid however late its run starts, and the next one is the next grid point', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    expect(world.tick(59_999)).toMatchObject({ ran: 0, next_due_ms: START + MINUTE });
    expect(world.tick(12_345)).toMatchObject({ ran: 1, next_due_ms: START + 2 * MINUTE });
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1, next_due_ms: START + 3 * MINUTE });
    expect(offsets(world.ran)).toEqual([MINUTE, 2 * MINUTE]);
    expect(world.ran.map((run) => run.now_ms - START)).toEqual([72_344, 132_344]);
  });

  it('the grid counts from 1970, not from the start of the node', () => {
    world
      .jump(17_123)
      .job('a')
      .load(yaml({ a: 'every: 60000' }));
    expect(world.scheduler.nextDueMs()).toBe(START + MINUTE);
  });

  it('offset_ms sets the phase', () => {
    world.job('a').load(yaml({ a: 'every: 60000, offset_ms: 5000' }));
    expect(world.scheduler.nextDueMs()).toBe(START + 5 * SECOND);
    world.tick(6 * SECOND);
    expect(offsets(world.ran)).toEqual([5 * SECOND]);
    expect(world.scheduler.nextDueMs()).toBe(START + 65 * SECOND);
  });

  it('cron is in UTC, and follows the same rules', () => {
    world.job('a').load(yaml({ a: 'cron: "30 3 * * *"' }));
    expect(world.scheduler.nextDueMs()).toBe(START + 3.5 * HOUR);
    world.tick(2 * DAY + 4 * HOUR);
    expect(world.ran).toMatchObject([{ scheduled_for_ms: START + 2 * DAY + 3.5 * HOUR, missed: 2 }]);
    expect(world.scheduler.nextDueMs()).toBe(START + 3 * DAY + 3.5 * HOUR);
  });

  it('one now_ms per pass, passed to everything', () => {
    world.job('a', () => {
      world.pass(500);
      return notes(1);
    });
    world.job('b').load(yaml({ a: 'every: 1000', b: 'every: 1000, after: a' }));
    world.tick(SECOND);
    expect(world.ran.map((run) => run.now_ms)).toEqual([START + SECOND, START + SECOND]);
    expect(world.rows('job_run')[0]).toMatchObject({ started_ms: START + SECOND, duration_ms: 500 });
  });

  it('for each network: one row per identity, with the network in its parameters', () => {
    world.identities = [1, 2].map((identity) => ({ identity, network_id: networkId(identity) }));
    world.job('a', () => notes(1), { for_each: 'network' }).load(yaml({ a: 'every: 1000' }));
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a@1', 'a@2']);
    expect(world.scheduler.list().map((line) => [line.identity, line.network_id])).toEqual([
      [1, networkId(1)],
      [2, networkId(2)],
    ]);
    world.identities = world.identities.slice(1).concat({ identity: 3, network_id: networkId(3) });
    world.scheduler.identitiesChanged();
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a@2', 'a@3']);
    expect(world.scheduler.history('a').some((run) => run.identity === 1)).toBe(false);
  });
});

describe('after', () => {
  const both = (a: string, b: string) => world.job('b').load(yaml({ b: `${b}, after: a`, a }));

  it('both due: one pass, the followed one first, whatever the order in the file', () => {
    world.job('a');
    both('every: 1000', 'every: 1000');
    expect(world.tick(SECOND)).toMatchObject({ ran: 2 });
    expect(world.takeRan()).toEqual(['a', 'b']);
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a', 'b']);
  });

  it('a chain runs in its order in one pass', () => {
    for (const name of ['rekey', 'delete', 'purge']) world.job(name);
    world.load(
      yaml({
        purge: 'every: 70000, after: delete',
        delete: 'every: 65000, after: rekey',
        rekey: 'every: 60000',
      }),
    );
    world.tick(10 * MINUTE);
    expect(world.takeRan()).toEqual(['rekey', 'delete', 'purge']);
  });

  it('waits when the other one fails, and runs in the pass of its retry', () => {
    let broken = true;
    world.job('a', () => (broken ? fail() : notes(1)));
    both('every: 60000', 'every: 60000');
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a']);
    expect(world.scheduler.why('b')).toMatchObject([{ reason: 'waiting_for_after' }]);
    broken = false;
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a', 'b']);
    expect(world.ran).toEqual([]);
  });

  it('due alone: waits until the other one has completed a run since its own last', () => {
    world.job('a');
    both('every: 300000', 'every: 60000');
    for (let minute = 1; minute < 5; minute++) world.tick(MINUTE);
    expect(world.takeRan()).toEqual([]);
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a', 'b']);
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual([]);
  });

  it('with an offset: at its own time, if the other one has completed by then', () => {
    world.job('a');
    both('every: 60000', 'every: 60000, offset_ms: 5000');
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a', 'b']); // b was due at 5 s, and waited
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a', 'b']); // due at 65 s, waited again
  });

  it('waiting costs no timer', () => {
    world.job('a');
    both('every: 300000', 'every: 60000');
    world.tick(MINUTE);
    expect(world.scheduler.nextDueMs()).toBe(START + 5 * MINUTE);
  });

  it('its own retry does not wait for another run of the other one', () => {
    let broken = true;
    world.job('a').job('b', () => (broken ? fail() : notes(1)));
    world.load(yaml({ a: 'every: 60000', b: 'every: 60000, after: a' }));
    world.tick(MINUTE);
    broken = false;
    expect(world.takeRan()).toEqual(['a', 'b']);
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['b']);
  });

  it('of the same network and identity', () => {
    const broken = new Set([1]);
    world.identities = [1, 2].map((identity) => ({ identity, network_id: networkId(identity) }));
    world.job(
      'a',
      (_, params: { network: string }) =>
        broken.has(Number.parseInt(params.network, 16)) ? fail() : notes(1),
      {
        params: networkParam(),
      },
    );
    world.job('b', () => notes(1), { for_each: 'network' });
    world.load(
      yaml({ b: 'every: 60000, after: a', a: 'every: 60000, params: { network: "$' + '{NETWORK_ID}" }' }),
    );
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a@1', 'a@2', 'b@2']);
    broken.clear();
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a@1', 'b@1']);
  });

  it('a once-per-node job follows all of them', () => {
    const broken = new Set([1]);
    world.identities = [1, 2, 3].map((identity) => ({ identity, network_id: networkId(identity) }));
    world.job(
      'a',
      (_, params: { network: string }) =>
        broken.has(Number.parseInt(params.network, 16)) ? fail() : notes(1),
      {
        params: networkParam(),
      },
    );
    both('every: 60000, params: { network: "$' + '{NETWORK_ID}" }', 'every: 60000');
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a@1', 'a@2', 'a@3']);
    broken.clear();
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a@1', 'b']);
  });

  it('a network job follows a once-per-node job', () => {
    world.identities = [1, 2].map((identity) => ({ identity, network_id: networkId(identity) }));
    world.job('a').job('b', () => notes(1), { for_each: 'network' });
    world.load(yaml({ b: 'every: 1000, after: a', a: 'every: 1000' }));
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a', 'b@1', 'b@2']);
  });

  it('waits while the other one has a failed run open, although it has completed one since', () => {
    let broken = false;
    world.job('a', () => (broken ? fail() : notes(1)));
    both('every: 60000', 'every: 120000');
    world.tick(MINUTE);
    broken = true;
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a', 'a']);
    broken = false;
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a', 'b']);
  });

  it('waits while the other one is held', () => {
    world.job('a', () => notes(1), { destructive: true });
    both('every: 60000', 'every: 120000');
    world.tick(MINUTE);
    world.jump(31 * DAY).tick(MINUTE);
    expect(world.takeRan()).toEqual(['a']);
    world.scheduler.confirmClock();
    world.tick();
    expect(world.takeRan()).toEqual(['a', 'b']);
  });

  it('waits until all that the other one makes up for is done', () => {
    world.job('a');
    both('every: 60000, misfire: all', 'every: 60000');
    world.tick(3 * MINUTE);
    expect(world.takeRan()).toEqual(['a', 'a', 'a', 'b']);
  });

  it('taken out of the file: what waited runs', () => {
    world.job('a', () => fail());
    both('every: 60000', 'every: 60000');
    world.tick(MINUTE);
    world.load(yaml({ a: 'every: 60000', b: 'every: 60000' }));
    world.takeRan();
    world.tick();
    expect(world.takeRan()).toEqual(['b']);
  });

  it('shares a transaction with the one it follows', () => {
    world.job('a');
    both('every: 1000', 'every: 1000');
    let commits = 0;
    const { exec } = world.db;
    world.db.exec = (sql) => {
      if (sql === 'COMMIT') commits++;
      exec(sql);
    };
    world.tick(SECOND);
    expect(commits).toBe(2); // one with work, and the one that finds no more
  });

  it('in one pass also when followers and followed do not fit into one transaction', () => {
    const count = limits.due_batch_max + 20;
    world.identities = Array.from({ length: count }, (_, at) => ({
      identity: at + 1,
      network_id: networkId(at + 1),
    }));
    for (const name of ['a', 'b']) world.job(name, () => [], { for_each: 'network' });
    world.load(yaml({ b: 'every: 60000, offset_ms: 1, after: a', a: 'every: 60000, offset_ms: 2' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 2 * count, failed: 0 });
    const order = world.takeRan();
    for (let identity = 1; identity <= count; identity++) {
      expect(order.indexOf(`b@${identity}`)).toBeGreaterThan(order.indexOf(`a@${identity}`));
    }
  });
});

describe('one transaction: claim, run, envelopes, run row, next due time', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  it('a crash at any step leaves all of a run or none', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sotto-scheduler-'));
    folders.push(folder);
    const file = yaml({
      a: 'every: 60000',
      b: 'every: 60000, after: a',
      broken: 'every: 60000',
      big: 'every: 60000, drain: true',
    });
    const define = (made: World) =>
      made
        .job('a', () => notes(2))
        .job('b', () => notes(1))
        .job('broken', fail)
        .job(
          'big',
          ({ scheduled_for_ms }) => {
            const done = made.db.prepare("SELECT count(*) AS done FROM submitted WHERE job = 'big'").get()
              ?.done as number;
            return scheduled_for_ms > START + MINUTE ? [] : notes(Math.min(3, 4 - done));
          },
          { batch: 3 },
        )
        .load(file);

    let crashes = 0;
    for (let at = 1; ; at++) {
      const path = join(folder, `${at}.db`);
      const raw = openNodeSqlite(path);
      define(new World(raw));
      const { db } = failingAt(raw, at);
      let crashed = false;
      try {
        const failing = new World(raw);
        failing.pass(MINUTE);
        Object.assign(failing, { db });
        define(failing).tick();
      } catch (thrown) {
        crashed = true;
        expect(thrown).toMatchObject({ errcode: 10 });
      }
      raw.close(); // rolls back what was open, as the end of a process does
      if (crashed) crashes++;

      const again = openNodeSqlite(path);
      const after = new World(again);
      const rows = new Map(
        again
          .prepare('SELECT * FROM job_schedule')
          .all()
          .map((row) => [row.job, row]),
      );
      const runs = again.prepare('SELECT job, outcome, emitted FROM job_run ORDER BY id').all();
      const of = (job: string) => ({
        submitted: after.submitted().filter((entry) => entry.job === job).length,
        runs: runs.filter((run) => run.job === job),
        settled: rows.get(job)?.last_occurrence_ms !== null,
      });
      const none = { submitted: 0, runs: [], settled: false };
      const all = (job: string, count: number) => ({
        submitted: count,
        runs: [{ job, outcome: 'done', emitted: count }],
        settled: true,
      });
      expect([none, all('a', 2)]).toContainEqual(of('a'));
      expect([none, all('b', 1)]).toContainEqual(of('b'));
      if (of('b').settled) expect(of('a').settled).toBe(true);
      expect(of('broken').runs.length).toBe(rows.get('broken')?.attempt);
      const { submitted, runs: batches } = of('big');
      expect([0, 3, 4]).toContain(submitted);
      expect(batches.reduce((sum, run) => sum + (run.emitted as number), 0)).toBe(submitted);
      for (const row of rows.values()) {
        const due_later = (row.next_due_ms as number) > START + MINUTE;
        const mid_drain = row.job === 'big' && submitted === 3;
        if (!mid_drain) expect(due_later).toBe(row.last_occurrence_ms !== null || row.attempt === 1);
      }

      // And what was not done is done by the next process, exactly once.
      after.pass(MINUTE);
      define(after).tick();
      expect(after.submitted().filter((entry) => entry.job === 'a')).toHaveLength(2);
      expect(after.submitted().filter((entry) => entry.job === 'b')).toHaveLength(1);
      expect(after.submitted().filter((entry) => entry.job === 'big')).toHaveLength(4);
      again.close();
      if (!crashed) break;
    }
    expect(crashes).toBeGreaterThan(30);
  });

  it('due runs share a transaction, each under a savepoint of its own', () => {
    world
      .job('a')
      .job('bad', () => fail())
      .job('c');
    world.load(yaml({ a: 'every: 1000', bad: 'every: 1000', c: 'every: 1000' }));
    const begun: string[] = [];
    const { exec } = world.db;
    world.db.exec = (sql) => {
      if (/^(BEGIN|COMMIT|SAVEPOINT|ROLLBACK)/.test(sql)) begun.push(sql.split(' ')[0]!);
      exec(sql);
    };
    expect(world.tick(SECOND)).toMatchObject({ ran: 2, failed: 1 });
    const first = begun.slice(0, begun.indexOf('COMMIT') + 1);
    expect(first).toEqual(['BEGIN', 'SAVEPOINT', 'SAVEPOINT', 'ROLLBACK', 'SAVEPOINT', 'COMMIT']);
    expect(world.submitted().map((entry) => entry.job)).toEqual(['a', 'c']);
  });

  it('at most due_batch_max runs share one', () => {
    const count = limits.due_batch_max + 1;
    world.identities = Array.from({ length: count }, (_, at) => ({
      identity: at + 1,
      network_id: networkId(at + 1),
    }));
    world.job('a', () => [], { for_each: 'network' }).load(yaml({ a: 'every: 1000' }));
    let commits = 0;
    const { exec } = world.db;
    world.db.exec = (sql) => {
      if (sql === 'COMMIT') commits++;
      exec(sql);
    };
    expect(world.tick(SECOND)).toMatchObject({ ran: count });
    expect(commits).toBe(3); // two with work, and the one that finds no more
  });

  it('a poisoned envelope does not fail the run, and is counted in its row', () => {
    world.poisoned = 1;
    world.job('a', () => notes(3)).load(yaml({ a: 'every: 1000' }));
    expect(world.tick(SECOND)).toMatchObject({ ran: 1, failed: 0 });
    expect(world.scheduler.history()).toMatchObject([
      {
        outcome: 'done',
        emitted: 3,
        processed: 2,
        poisoned: 1,
        error_class: 'TypeError',
        error_place: 'handlers/open.ts:1:1',
      },
    ]);
    expect(world.submitted()).toHaveLength(2);
  });

  it('a run that emitted nothing writes no row', () => {
    world.job('a', () => []).load(yaml({ a: 'every: 1000' }));
    expect(world.tick(SECOND)).toMatchObject({ ran: 1 });
    expect(world.scheduler.history()).toEqual([]);
    expect(world.row('a').last_run_ms).toBe(START + SECOND);
  });

  it('run rows are pruned, for each job and identity', () => {
    world
      .job('a')
      .job('b')
      .load(yaml({ a: 'every: 1000', b: 'every: 3600000' }));
    world.tick(HOUR);
    for (let at = 0; at < limits.run_rows_max + 5; at++) world.tick(SECOND);
    const rows = world.rows('job_run');
    expect(rows.filter((row) => row.job === 'a')).toHaveLength(limits.run_rows_max);
    expect(rows.filter((row) => row.job === 'b')).toHaveLength(1);
    expect(world.scheduler.history('a', 1)[0]?.scheduled_for_ms).toBe(world.clock.wall);
  });

  it('nothing runs inside itself', () => {
    let inner: unknown;
    world.job('a', () => {
      try {
        world.scheduler.runDueJobs();
      } catch (thrown) {
        inner = thrown;
      }
      return notes(1);
    });
    world.load(yaml({ a: 'every: 1000' }));
    world.tick(SECOND);
    expect(inner).toMatchObject({ code: 'scheduler_busy' });
    expect(world.submitted()).toHaveLength(1);
  });
});

describe('a throw', () => {
  it('rolls back to the savepoint; failure, error and backoff are kept; others run; the grid is not lost', () => {
    let broken = true;
    world.job('a', () => (broken ? fail() : notes(1))).job('b');
    world.load(yaml({ a: 'every: 60000', b: 'every: 60000' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1, failed: 1, next_due_ms: START + MINUTE + SECOND });
    expect(world.scheduler.history('a')).toMatchObject([
      {
        outcome: 'failed',
        attempt: 0,
        emitted: 0,
        error_class: 'broken',
        error_place: expect.stringMatching(/scheduler\.test\.ts:\d+:\d+$/),
      },
    ]);
    expect(world.row('a')).toMatchObject({
      attempt: 1,
      occurrence_ms: START + MINUTE,
      error_class: 'broken',
    });
    expect(world.tick(SECOND)).toMatchObject({ failed: 1, next_due_ms: START + MINUTE + 3 * SECOND });
    broken = false;
    world.tick(2 * SECOND);
    expect(
      world.ran.filter((run) => run.job === 'a').map((run) => [run.scheduled_for_ms - START, run.attempt]),
    ).toEqual([
      [MINUTE, 0],
      [MINUTE, 1],
      [MINUTE, 2],
    ]);
    expect(world.row('a')).toMatchObject({ attempt: 0, error_class: null, next_due_ms: START + 2 * MINUTE });
  });

  it('after envelopes were submitted: they go with it', () => {
    world.job('a', () => notes(1)).load(yaml({ a: 'every: 1000' }));
    const { prepare } = world.db;
    world.db.prepare = (sql) => {
      const statement = prepare(sql);
      if (!sql.startsWith('INSERT INTO submitted')) return statement;
      return {
        ...statement,
        run: (params) => {
          statement.run(params);
          throw new TypeError('after the row was written');
        },
      };
    };
    expect(world.tick(SECOND)).toMatchObject({ failed: 1 });
    expect(world.submitted()).toEqual([]);
    expect(JSON.stringify(world.rows('job_run'))).not.toContain('after the row');
  });

  it('is tried again after 1 s, 2 s, 4 s ... five minutes at most, never given up', () => {
    world.job('a', () => fail()).load(yaml({ a: 'every: 86400000' }));
    world.pass(DAY);
    const pauses = Array.from({ length: 12 }, () => {
      const { next_due_ms } = world.tick();
      const pause = next_due_ms! - world.clock.wall;
      world.pass(pause);
      return pause / SECOND;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  it('with several occurrences gone by at its retry: the newest is run, and told how many it missed', () => {
    let broken = true;
    world.job('a', () => (broken ? fail() : notes(1))).load(yaml({ a: 'every: 1000' }));
    for (let at = 0; at < 4; at++) world.tick(at === 0 ? SECOND : 2 ** (at - 1) * SECOND);
    broken = false;
    world.tick(8 * SECOND);
    expect(world.ran.at(-1)).toMatchObject({ scheduled_for_ms: START + 16 * SECOND, missed: 15, attempt: 4 });
    expect(world.scheduler.nextDueMs()).toBe(START + 17 * SECOND);
  });

  it('a storage fault is not a failed run: it goes up, and nothing was done', () => {
    world.job('a', () => {
      throw Object.assign(new Error('disk full'), { errcode: 13 });
    });
    world.load(yaml({ a: 'every: 1000' }));
    expect(() => world.tick(SECOND)).toThrow('disk full');
    expect(world.row('a')).toMatchObject({ attempt: 0, next_due_ms: START + SECOND });
  });
});

describe('misfire: after eight hours of sleep', () => {
  const asleep = (keys: string) => {
    world.job('a').load(yaml({ a: keys }));
    world.tick(MINUTE);
    world.ran.length = 0;
    return world.tick(8 * HOUR + 30 * SECOND);
  };

  it('once: the newest, told how many it missed', () => {
    expect(asleep('every: 60000')).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ scheduled_for_ms: START + 8 * HOUR + MINUTE, missed: 479 }]);
    expect(world.scheduler.nextDueMs()).toBe(START + 8 * HOUR + 2 * MINUTE);
  });

  it('once, of a period of a millisecond: one run, without a loop over 28,800,000 occurrences', () => {
    const before = performance.now();
    expect(asleep('every: 1')).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ missed: 8 * HOUR + 30 * SECOND - 1 }]);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('once, by cron: one run; the count of missed ones is bounded', () => {
    expect(asleep('cron: "* * * * *"')).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([
      { scheduled_for_ms: START + 8 * HOUR + MINUTE, missed: limits.misfire_all_max },
    ]);
  });

  it('skip: none; it goes on at the next grid point', () => {
    expect(asleep('every: 60000, misfire: skip')).toMatchObject({
      ran: 0,
      next_due_ms: START + 8 * HOUR + 2 * MINUTE,
    });
    expect(world.tick(30 * SECOND)).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ missed: 0 }]);
  });

  it('skip: one that starts on time is run, also behind missed ones', () => {
    world.job('a').load(yaml({ a: 'every: 60000, misfire: skip' }));
    expect(world.tick(8 * HOUR + limits.misfire_late_ms)).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ scheduled_for_ms: START + 8 * HOUR, missed: 479 }]);
  });

  it('all: each one in its order', () => {
    world.job('a').load(yaml({ a: 'every: 3600000, misfire: all' }));
    expect(world.tick(8 * HOUR)).toMatchObject({ ran: 8, next_due_ms: START + 9 * HOUR });
    expect(offsets(world.ran)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((hour) => hour * HOUR));
  });

  it.each(['every: 60000', 'cron: "* * * * *"'])('all, with a cap: the newest %s', (keys) => {
    expect(asleep(`${keys}, misfire: all`)).toMatchObject({ ran: limits.misfire_all_max });
    const newest = 8 * HOUR + MINUTE;
    expect(offsets(world.ran)).toEqual(
      Array.from(
        { length: limits.misfire_all_max },
        (_, at) => newest - (limits.misfire_all_max - 1 - at) * MINUTE,
      ),
    );
    expect(world.ran[0]?.missed).toBe(keys.startsWith('cron') ? 1 : 480 - limits.misfire_all_max);
    expect(world.scheduler.nextDueMs()).toBe(START + newest + MINUTE);
  });

  it('one run for each of many jobs', () => {
    const names = Array.from({ length: 20 }, (_, at) => `job${at}`);
    for (const name of names) world.job(name);
    world.load(yaml(Object.fromEntries(names.map((name, at) => [name, `every: ${(at + 1) * 1_000}`]))));
    expect(world.tick(8 * HOUR)).toMatchObject({ ran: 20 });
  });
});

describe('drain', () => {
  let left = 0;
  const draining = (keys = '') => {
    world.job('a', () => notes(Math.min(10, left)), { batch: 10 });
    world.load(yaml({ a: `every: 60000, drain: true${keys}` }));
    const { exec } = world.db;
    let commits = 0;
    world.db.exec = (sql) => {
      exec(sql);
      if (sql === 'COMMIT') {
        commits++;
        left = Math.max(0, 35 - world.submitted().length);
      }
    };
    return () => commits;
  };

  it('runs again, each time in a new transaction, while batches are full', () => {
    left = 35;
    const commits = draining();
    expect(world.tick(MINUTE)).toMatchObject({ ran: 4, next_due_ms: START + 2 * MINUTE });
    expect(world.scheduler.history().map((run) => run.emitted)).toEqual([5, 10, 10, 10]);
    expect(commits()).toBe(5); // four batches, and the look that finds nothing more
  });

  it('without it, one batch', () => {
    world.job('a', () => notes(10), { batch: 10 }).load(yaml({ a: 'every: 60000' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
  });

  it('drain_max times at most', () => {
    world.job('a', () => notes(1), { batch: 1 }).load(yaml({ a: 'every: 60000, drain: true' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: limits.drain_max, next_due_ms: START + 2 * MINUTE });
  });

  it('what follows runs when it is drained', () => {
    left = 35;
    draining();
    world.job('b').load(yaml({ b: 'every: 60000, after: a', a: 'every: 60000, drain: true' }));
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a', 'a', 'a', 'a', 'b']);
  });

  it('a failure in the midst keeps the batches before it, and is tried again', () => {
    let calls = 0;
    world.job('a', () => (++calls === 2 ? fail() : notes(calls < 4 ? 10 : 3)), { batch: 10 });
    world.load(yaml({ a: 'every: 60000, drain: true' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1, failed: 1 });
    expect(world.submitted()).toHaveLength(10);
    expect(world.tick(SECOND)).toMatchObject({ ran: 2 });
    expect(world.submitted()).toHaveLength(23);
    expect(new Set(offsets(world.ran))).toEqual(new Set([MINUTE]));
  });
});

describe('the clock goes back and forth', () => {
  it('back by less than a period: waits, and runs no occurrence twice', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.tick(MINUTE);
    world.jump(-30 * SECOND);
    expect(world.tick()).toMatchObject({ ran: 0 });
    expect(world.tick(30 * SECOND)).toMatchObject({ ran: 0, next_due_ms: START + 2 * MINUTE });
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
    expect(offsets(world.ran)).toEqual([MINUTE, 2 * MINUTE]);
  });

  it('back by a year: nothing refires, and no job stands still for a year', () => {
    world
      .job('a')
      .job('cron')
      .load(yaml({ a: 'every: 60000', cron: 'cron: "0 * * * *"' }));
    world.tick(HOUR);
    world.jump(-365 * DAY);
    expect(world.tick()).toMatchObject({ ran: 0 });
    expect(world.scheduler.nextDueMs()! - world.clock.wall).toBe(MINUTE);
    for (let minute = 0; minute < 120; minute++) world.tick(MINUTE);
    for (const [job, runs] of [
      ['a', 121],
      ['cron', 3],
    ] as const) {
      const numbers = world.ran.filter((run) => run.job === job).map((run) => run.scheduled_for_ms);
      expect(numbers).toHaveLength(runs);
      expect(new Set(numbers).size).toBe(runs);
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    }
  });

  it.each<[string, () => unknown]>([
    ['paused and resumed', () => [world.scheduler.pause('a'), world.scheduler.resume('a')]],
    [
      'switched off and on',
      () => [
        world.load(yaml({ a: 'every: 60000, enabled: false' })),
        world.load(yaml({ a: 'every: 60000' })),
      ],
    ],
  ])('back, then %s: still nothing refires', (_what, meddle) => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    for (let minute = 0; minute < 10; minute++) world.tick(MINUTE);
    world.jump(-8 * MINUTE).tick();
    meddle();
    for (let minute = 0; minute < 10; minute++) world.tick(MINUTE);
    const numbers = world.ran.map((run) => run.scheduled_for_ms);
    expect(numbers).toHaveLength(20);
    expect(new Set(numbers).size).toBe(20);
  });

  it('forward by a year, and back: runs once for the jump, then goes on', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.tick(MINUTE);
    world.jump(365 * DAY);
    expect(world.tick()).toMatchObject({ ran: 1 });
    world.jump(-365 * DAY);
    expect(world.tick()).toMatchObject({ ran: 0 });
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
  });

  it('back across a restart: brought forward too', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.tick(DAY);
    world.jump(-10 * HOUR).restart();
    expect(world.scheduler.nextDueMs()).toBe(world.clock.wall + MINUTE);
  });

  it('a retry does not wait for the length of the jump', () => {
    world.job('a', () => fail()).load(yaml({ a: 'every: 60000' }));
    world.tick(MINUTE);
    world.jump(-DAY);
    expect(world.tick()).toMatchObject({ failed: 1 });
  });
});

describe('a suspect clock', () => {
  const file = yaml({ purge: 'every: 60000', sync: 'every: 60000' });
  beforeEach(() => {
    world
      .job('purge', () => notes(1), { destructive: true })
      .job('sync')
      .load(file);
    world.tick(MINUTE);
    world.ran.length = 0;
  });
  const witness = (user: number, offset_ms = 0, seen_ms = world.clock.wall) => ({
    ...{ identity: 1, user_id: networkId(user), offset_ms, seen_ms },
  });

  it('holds what destroys and says so; the rest runs', () => {
    world.jump(31 * DAY);
    expect(world.tick()).toMatchObject({ ran: 1, held: 1 });
    expect(world.takeRan()).toEqual(['sync']);
    expect(world.scheduler.why('purge')).toMatchObject([
      {
        reason: 'clock_suspect',
        text: expect.stringMatching(/went forward 31 d that nothing explains.*0 of 2 other/),
      },
    ]);
    expect(world.scheduler.why('sync')).toMatchObject([{ reason: 'not_due' }]);
    expect(world.scheduler.list().map((line) => [line.name, line.state])).toEqual([
      ['purge', 'held'],
      ['sync', 'scheduled'],
    ]);
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1, held: 1 });
  });

  it('run-now is held too', () => {
    world.jump(31 * DAY).tick();
    expect(() => world.scheduler.run('purge')).toThrow(expect.objectContaining({ code: 'clock_suspect' }));
    expect(world.scheduler.run('sync')).toHaveLength(1);
  });

  it('run-now notices a jump by itself', () => {
    world.jump(31 * DAY);
    expect(() => world.scheduler.run('purge')).toThrow(expect.objectContaining({ code: 'clock_suspect' }));
  });

  it('survives a restart', () => {
    world.jump(31 * DAY).tick();
    world.restart().tick(MINUTE);
    expect(world.scheduler.clockStatus()).toMatchObject({ suspect: true });
    expect(world.takeRan()).not.toContain('purge');
  });

  it.each([
    ['forward by over 30 days', 30 * DAY + MINUTE, true],
    ['forward by less', 30 * DAY - 2 * MINUTE, false],
    ['back by over 5 minutes', -5 * MINUTE - SECOND, true],
    ['back by less', -5 * MINUTE, false],
  ])('%s: %#', (_what, jump, suspect) => {
    world.jump(jump).tick();
    expect(world.scheduler.clockStatus().suspect).toBe(suspect);
  });

  it.each([
    ['forward by over 30 days', 30 * DAY + SECOND, true],
    ['forward by less', 30 * DAY, false],
    ['back by over 5 minutes', -5 * MINUTE - SECOND, true],
    ['back by less', -5 * MINUTE, false],
  ])('across a restart, %s: %#', (_what, jump, suspect) => {
    world.jump(jump).restart();
    expect(world.scheduler.clockStatus().suspect).toBe(suspect);
  });

  it('40 days that the monotonic clock explains are no jump', () => {
    world.tick(40 * DAY);
    expect(world.scheduler.clockStatus().suspect).toBe(false);
    expect(world.takeRan()).toEqual(['purge', 'sync']);
  });

  it('many small steps back add up, against the highest time seen', () => {
    for (let step = 0; step < 2; step++) world.jump(-4 * MINUTE).tick();
    expect(world.scheduler.clockStatus().suspect).toBe(true);
  });

  it('clears when two other users agree, and what was held is done once', () => {
    world.jump(31 * DAY).tick();
    world.witnesses = [witness(1, 9 * MINUTE)];
    world.tick(SECOND);
    expect(world.scheduler.clockStatus()).toMatchObject({ suspect: true, agreeing: 1, needed: 2 });
    world.witnesses.push(witness(1, 0, world.clock.wall + 1), witness(2, 11 * MINUTE));
    world.tick(SECOND);
    expect(world.scheduler.clockStatus().suspect).toBe(true);
    world.witnesses.push(witness(2, -9 * MINUTE));
    world.ran.length = 0;
    expect(world.tick(SECOND)).toMatchObject({ ran: 1, held: 0 });
    expect(world.takeRan()).toEqual(['purge']);
    expect(world.scheduler.clockStatus()).toMatchObject({
      suspect: false,
      reason: null,
      highest_ms: world.clock.wall,
    });
  });

  it('one is enough where there is only one', () => {
    world.others = 1;
    world.jump(-HOUR).tick();
    world.witnesses = [witness(1)];
    world.tick(SECOND);
    expect(world.scheduler.clockStatus().suspect).toBe(false);
  });

  it('what was measured before the jump does not count', () => {
    world.witnesses = [witness(1), witness(2)];
    for (const jump of [31 * DAY, -2 * HOUR]) {
      world.jump(jump);
      world.tick();
      world.tick(3 * HOUR);
      expect(world.scheduler.clockStatus().suspect).toBe(true);
    }
    world.restart().tick(SECOND);
    expect(world.scheduler.clockStatus().suspect).toBe(true);
    world.witnesses = [witness(1), witness(2)];
    world.tick(SECOND);
    expect(world.scheduler.clockStatus().suspect).toBe(false);
  });

  it('a node that knows nobody clears only by hand', () => {
    world.others = 0;
    world.jump(31 * DAY).tick();
    world.witnesses = [witness(1), witness(2)];
    expect(world.tick(SECOND)).toMatchObject({ held: 1 });
    expect(world.scheduler.why('purge')[0]?.text).toMatch(/confirm it by hand/);
    world.scheduler.confirmClock();
    world.ran.length = 0;
    expect(world.tick()).toMatchObject({ ran: 1, held: 0 });
    expect(world.takeRan()).toEqual(['purge']);
    expect(world.scheduler.clockStatus()).toMatchObject({ suspect: false, highest_ms: world.clock.wall });
  });

  it('a jump is not forgotten when it could not be written', () => {
    world.jump(31 * DAY);
    const { exec } = world.db;
    world.db.exec = () => {
      throw new Error('busy');
    };
    expect(() => world.tick()).toThrow('busy');
    world.db.exec = exec;
    world.tick(SECOND);
    expect(world.scheduler.clockStatus().suspect).toBe(true);
  });

  it('S20: what was believed and not written yet is not forgotten when the clock turns suspect', () => {
    world.load(yaml({ sync: 'every: 86400000' }));
    world.tick(MINUTE);
    const highest_ms = world.clock.wall;
    expect(world.scheduler.highestMs()).toBe(highest_ms);
    world.jump(-10 * MINUTE).tick();
    expect(world.scheduler.clockStatus().suspect).toBe(true);
    expect(world.scheduler.highestMs()).toBe(highest_ms);
    world.restart();
    expect(world.scheduler.highestMs()).toBe(highest_ms);
  });

  it('an idle node writes its clock once a minute, not at each tick', () => {
    world.load(yaml({ sync: 'every: 86400000' }));
    const writes = () => world.rows('scheduler_clock')[0]?.highest_ms;
    const before = writes();
    world.tick(MINUTE);
    expect(writes()).toBe(before);
    world.tick(MINUTE);
    expect(writes()).toBe(world.clock.wall);
  });
});

describe('pause and resume', () => {
  it('paused time is not missed', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.tick(MINUTE);
    world.scheduler.pause('a');
    expect(world.tick(HOUR)).toMatchObject({ ran: 0, next_due_ms: null });
    world.scheduler.resume('a');
    expect(world.tick()).toMatchObject({ ran: 0, next_due_ms: world.clock.wall + MINUTE });
    world.tick(MINUTE);
    expect(world.ran.at(-1)).toMatchObject({ missed: 0, scheduled_for_ms: world.clock.wall });
  });

  it('what was open when the pause began is done on resuming, and misses nothing', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.pass(MINUTE + SECOND).scheduler.pause('a');
    world.pass(HOUR).scheduler.resume('a');
    expect(world.tick()).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ missed: 0 }]);
  });

  it('of one identity', () => {
    world.identities = [1, 2].map((identity) => ({ identity, network_id: networkId(identity) }));
    world.job('a', () => notes(1), { for_each: 'network' }).load(yaml({ a: 'every: 1000' }));
    world.scheduler.pause('a', 1);
    world.tick(SECOND);
    expect(world.takeRan()).toEqual(['a@2']);
    expect(() => world.scheduler.pause('a', 9)).toThrow(expect.objectContaining({ code: 'no_identity' }));
  });

  it('survives restart and reload, also of another grid', () => {
    world.job('a').load(yaml({ a: 'every: 1000' }));
    world.scheduler.pause('a');
    expect(world.restart().tick(MINUTE)).toMatchObject({ ran: 0 });
    world.load(yaml({ a: 'every: 2000' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 0, next_due_ms: null });
  });

  it('of a retry: resuming tries again at once', () => {
    let broken = true;
    world.job('a', () => (broken ? fail() : notes(1))).load(yaml({ a: 'every: 86400000' }));
    world.tick(DAY);
    world.scheduler.pause('a');
    broken = false;
    world.pass(MINUTE).scheduler.resume('a');
    expect(world.tick()).toMatchObject({ ran: 1 });
    expect(world.ran.at(-1)).toMatchObject({ scheduled_for_ms: START + DAY, attempt: 1 });
  });
});

describe('run-now', () => {
  beforeEach(() => {
    world.job('a', () => notes(2)).load(yaml({ a: 'every: 60000' }));
  });

  it('never moves the grid', () => {
    const before = world.row('a');
    world.pass(20 * SECOND);
    expect(world.scheduler.run('a')).toMatchObject([{ started_by: 'hand', outcome: 'done', emitted: 2 }]);
    expect(world.row('a')).toEqual(before);
    expect(world.submitted()).toHaveLength(2);
    expect(world.tick(40 * SECOND)).toMatchObject({ ran: 1 });
  });

  it('works on a paused job, which stays paused', () => {
    world.scheduler.pause('a');
    expect(world.scheduler.run('a')).toHaveLength(1);
    expect(world.tick(HOUR)).toMatchObject({ ran: 0 });
  });

  it('a failure is recorded, and changes neither grid nor backoff', () => {
    world.job('a', () => fail()).load(yaml({ a: 'every: 60000' }));
    const before = world.row('a');
    expect(world.scheduler.run('a')).toMatchObject([{ outcome: 'failed', error_class: 'broken' }]);
    expect(world.row('a')).toEqual(before);
    expect(world.scheduler.history()).toHaveLength(1);
  });

  it('drains what drains', () => {
    let left = 5;
    world
      .job('a', () => notes(left-- > 0 ? 1 : 0), { batch: 1 })
      .load(yaml({ a: 'every: 60000, drain: true' }));
    expect(world.scheduler.run('a')).toHaveLength(6);
  });

  it('of an unknown or disabled job, or without a network, says why not', () => {
    world.job('each', () => [], { for_each: 'network' });
    world.load(yaml({ a: 'every: 60000, enabled: false', each: 'every: 60000' }));
    expect(() => world.scheduler.run('each_')).toThrow("There is no job 'each_'. Did you mean 'each'?");
    expect(() => world.scheduler.run('a')).toThrow(expect.objectContaining({ code: 'job_disabled' }));
    expect(() => world.scheduler.run('each')).toThrow(expect.objectContaining({ code: 'no_network' }));
  });
});

describe('preview', () => {
  it('shows the envelopes of a run on live data, without effect', () => {
    world.job('a', () => notes(3)).load(yaml({ a: 'every: 60000' }));
    world.pass(90 * SECOND);
    const before = ['job_schedule', 'job_run', 'scheduler_clock'].map((table) =>
      world.rows(table as 'job_run'),
    );
    const [shown] = world.scheduler.preview('a');
    expect(shown?.identity).toBe(0);
    expect(shown?.envelopes).toEqual(notes(3));
    expect(world.ran).toMatchObject([{ scheduled_for_ms: START + MINUTE, now_ms: START + 90 * SECOND }]);
    expect(
      ['job_schedule', 'job_run', 'scheduler_clock'].map((table) => world.rows(table as 'job_run')),
    ).toEqual(before);
    expect(world.submitted()).toEqual([]);
    expect(world.tick()).toMatchObject({ ran: 1 });
  });

  it('throws what the job throws, and records nothing', () => {
    world.job('a', () => fail()).load(yaml({ a: 'every: 60000' }));
    expect(() => world.scheduler.preview('a')).toThrow('It is broken.');
    expect(world.scheduler.history()).toEqual([]);
  });
});

describe('live reload', () => {
  it('whole: adds, changes, removes; an unchanged grid keeps its place', () => {
    world
      .job('a')
      .job('b')
      .job('c')
      .load(yaml({ a: 'every: 60000', b: 'every: 60000' }));
    world.tick(MINUTE);
    world.pass(90 * SECOND);
    world.load(yaml({ b: 'every: 60000, misfire: skip', c: 'every: 1000' }));
    expect(world.rows('job_schedule').map((row) => row.job)).toEqual(['b', 'c']);
    expect(world.rows('job_run').map((row) => row.job)).toEqual(['b']);
    expect(world.row('b').next_due_ms).toBe(START + 2 * MINUTE);
    expect(world.row('c').next_due_ms).toBe(world.clock.wall + SECOND);
  });

  it('another grid begins at its next point, behind what has run', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.tick(MINUTE);
    world.load(yaml({ a: 'every: 7000' }));
    const next_due_ms = Number(world.row('a').next_due_ms);
    expect(next_due_ms % 7_000).toBe(0);
    expect(next_due_ms - world.clock.wall).toBeGreaterThan(0);
    expect(next_due_ms - world.clock.wall).toBeLessThanOrEqual(7_000);
  });

  it('a bad file changes nothing', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    const before = world.rows('job_schedule');
    expect(() => world.load(yaml({ a: 'every: 1000', b: 'every: 1000' }))).toThrow(
      expect.objectContaining({ code: 'bad_jobs_file' }),
    );
    expect(world.rows('job_schedule')).toEqual(before);
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
  });

  it('a fault while writing leaves the old jobs running, whole', () => {
    world
      .job('a')
      .job('b')
      .load(yaml({ a: 'every: 60000' }));
    const { prepare } = world.db;
    world.db.prepare = (sql) => {
      if (sql.startsWith('DELETE FROM job_run')) throw new Error('disk');
      return prepare(sql);
    };
    expect(() => world.load(yaml({ b: 'every: 1000' }))).toThrow('disk');
    world.db.prepare = prepare;
    world.tick(MINUTE);
    expect(world.takeRan()).toEqual(['a']);
  });

  it('switched off and on again: the time between is not missed', () => {
    world.job('a').load(yaml({ a: 'every: 60000' }));
    world.load(yaml({ a: 'every: 60000, enabled: false' }));
    expect(world.tick(HOUR)).toMatchObject({ ran: 0, next_due_ms: null });
    world.load(yaml({ a: 'every: 60000' }));
    expect(world.tick(MINUTE)).toMatchObject({ ran: 1 });
    expect(world.ran).toMatchObject([{ missed: 0 }]);
  });

  it('interpolated values are not stored', () => {
    world.env = { TOKEN: 'tell-nobody' };
    world.job('a', () => notes(1), { params: networkParam() });
    world.load(yaml({ a: 'every: 60000, params: { network: "$' + '{TOKEN}" }' }));
    world.tick(MINUTE);
    expect(world.ran[0]?.params).toEqual({ network: 'tell-nobody' });
    const tables = (['job_schedule', 'job_run', 'scheduler_clock'] as const).map((table) =>
      world.rows(table),
    );
    expect(JSON.stringify(tables)).not.toContain('tell-nobody');
  });
});

describe('why, list, next, delay', () => {
  it('why: everything that keeps a job from running', () => {
    world
      .job('a')
      .job('off')
      .job('each', () => [], { for_each: 'network' })
      .job('bad', () => fail())
      .job('b');
    world.load(
      yaml({
        a: 'every: 3600000',
        off: 'every: 1000, enabled: false',
        each: 'every: 1000',
        bad: 'every: 60000',
        b: 'every: 60000, after: a',
      }),
    );
    world.tick(MINUTE);
    const reasons = (name: string) => world.scheduler.why(name).map((reason) => reason.reason);
    expect(world.scheduler.why('a')).toEqual([
      { reason: 'not_due', identity: 0, text: 'It is due in 59 min, at 2026-01-01T01:00:00.000Z.' },
    ]);
    expect(reasons('off')).toEqual(['disabled']);
    expect(reasons('each')).toEqual(['no_network']);
    expect(world.scheduler.why('bad')).toMatchObject([
      {
        reason: 'retry_backoff',
        text: expect.stringMatching(
          /^It failed 1 time\(s\) in a row, last with broken at .*scheduler\.test\.ts:\d+:\d+\. The next try is in 1 s/,
        ),
      },
    ]);
    expect(world.scheduler.why('b')).toMatchObject([
      { reason: 'waiting_for_after', text: expect.stringContaining("'a'") },
    ]);
    world.scheduler.pause('a');
    expect(reasons('a')).toEqual(['paused', 'not_due']);
    world.scheduler.pause('b');
    expect(reasons('b')).toEqual(['paused', 'waiting_for_after']);
  });

  it('why: nothing, when the next pass runs it', () => {
    world.job('a').load(yaml({ a: 'every: 1000' }));
    world.pass(SECOND);
    expect(world.scheduler.why('a')).toEqual([]);
    expect(() => world.scheduler.why('x')).toThrow(expect.objectContaining({ code: 'unknown_job' }));
  });

  it('next: the coming occurrences of all jobs, in order', () => {
    world.job('a').job('b').job('c');
    world.load(yaml({ a: 'every: 20000', b: 'every: 30000', c: 'every: 1000' }));
    world.scheduler.pause('c');
    expect(world.scheduler.next(5).map(({ name, due_ms }) => [name, (due_ms - START) / SECOND])).toEqual([
      ['a', 20],
      ['b', 30],
      ['a', 40],
      ['a', 60],
      ['b', 60],
    ]);
  });

  it('list: how and in what state', () => {
    world.job('a').job('each', () => [], { for_each: 'network' });
    world.load(yaml({ a: 'every: 90000, offset_ms: 5000', each: 'cron: "0 3 * * *"' }));
    expect(world.scheduler.list()).toMatchObject([
      { name: 'a', identity: 0, every: 'every 1 min 30 s + 5 s', state: 'scheduled' },
      { name: 'each', identity: null, every: 'cron 0 3 * * * UTC', state: 'no_network', next_due_ms: null },
    ]);
  });

  it('delayMs: until the earliest row, 60 s at most', () => {
    world.job('a').load(yaml({ a: 'every: 90000' }));
    expect(world.scheduler.delayMs(START)).toBe(limits.timer_ms_max);
    expect(world.scheduler.delayMs(START + 89 * SECOND)).toBe(SECOND);
    expect(world.scheduler.delayMs(START + 2 * HOUR)).toBe(0);
    world.scheduler.pause('a');
    expect(world.scheduler.delayMs(START)).toBe(limits.timer_ms_max);
  });
});

describe('finding due work uses the index on next_due_ms', () => {
  it.each([
    'SELECT min(next_due_ms) AS earliest FROM job_schedule',
    'SELECT * FROM job_schedule WHERE next_due_ms <= 5 ORDER BY next_due_ms, id LIMIT 500',
  ])('%s', (sql) => {
    world.load('jobs: []');
    const details = world.db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => row.detail);
    expect(details).toEqual([
      expect.stringMatching(/SEARCH job_schedule USING (COVERING )?INDEX job_schedule_due/),
    ]);
  });

  it('rows that no time makes due lie behind all others', () => {
    world.job('a').load(yaml({ a: 'every: 1000' }));
    world.scheduler.pause('a');
    expect(world.row('a').next_due_ms).toBe(NEVER_MS);
  });
});

describe('for random schedules, times, clock jumps, failures and restarts', () => {
  const schedule = fc.record({
    every: fc.integer({ min: 1, max: 100_000 }),
    phase: fc.double({ min: 0, max: 0.99, noNaN: true }),
    misfire: fc.constantFrom('once', 'skip', 'all'),
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 300_000 }) }) },
    { weight: 1, arbitrary: fc.record({ jump: fc.integer({ min: -3_000_000, max: 3_000_000 }) }) },
    { weight: 1, arbitrary: fc.record({ restart: fc.integer({ min: 0, max: 40 * DAY }) }) },
    { weight: 1, arbitrary: fc.record({ broken: fc.boolean() }) },
  );

  it('each occurrence is run once at most, on its grid, and each job within one period of waking up', () => {
    fc.assert(
      fc.property(
        fc.array(schedule, { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 40 }),
        (schedules, steps) => {
          const db = openNodeSqlite(':memory:');
          const random = new World(db);
          let broken = false;
          const done: { job: string; scheduled_for_ms: number }[] = [];
          const entries = schedules.map(({ every, phase, misfire }, at) => {
            const name = `job${at}`;
            random.job(name, ({ scheduled_for_ms }) => {
              if (broken) fail();
              done.push({ job: name, scheduled_for_ms });
              return notes(1);
            });
            return [
              name,
              `every: ${every}, offset_ms: ${Math.floor(every * phase)}, misfire: ${misfire}`,
            ] as const;
          });
          random.load(yaml(Object.fromEntries(entries)));
          for (const move of steps) {
            if ('broken' in move) broken = move.broken;
            if ('jump' in move) random.jump(move.jump);
            if ('restart' in move) random.pass(move.restart).restart();
            random.tick('pass' in move ? move.pass : 0);
          }

          // Each occurrence once at most, in its order, on its grid.
          for (const [at, { every, phase }] of schedules.entries()) {
            const numbers = done.filter((run) => run.job === `job${at}`).map((run) => run.scheduled_for_ms);
            for (const [index, number] of numbers.entries()) {
              if (index > 0) expect(number).toBeGreaterThan(numbers[index - 1]!);
              expect((number - Math.floor(every * phase)) % every).toBe(0);
            }
          }
          // What is durable is what ran.
          expect(random.submitted()).toHaveLength(done.length);

          // Awake again, and ticking when it is asked to: each job runs within one period. (One more where the clock went back by less
          // than a period, and as long as a backoff where it failed.)
          broken = false;
          const woken_ms = random.clock.wall;
          const before = done.length;
          const longest = Math.max(...schedules.map(({ every }) => every));
          const patience = 2 * longest + limits.retry_ms_max;
          const waiting = new Set(schedules.map((_, at) => `job${at}`));
          for (let ticks = 0; ticks < 2_000 && waiting.size > 0; ticks++) {
            // Fast ones would take millions of ticks: those that have run are paused.
            const due_ms = random.scheduler.nextDueMs();
            expect(due_ms).not.toBeNull();
            random.tick(Math.max(0, due_ms! - random.clock.wall));
            for (const { job } of done.slice(before)) if (waiting.delete(job)) random.scheduler.pause(job);
          }
          expect([...waiting]).toEqual([]);
          expect(random.clock.wall - woken_ms).toBeLessThanOrEqual(patience);
          db.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('without jumps and failures: within one period exactly', () => {
    fc.assert(
      fc.property(
        schedule,
        fc.array(fc.record({ pass: fc.integer({ min: 0, max: 300_000 }), restart: fc.boolean() }), {
          maxLength: 15,
        }),
        ({ every, phase }, steps) => {
          const db = openNodeSqlite(':memory:');
          const random = new World(db);
          const offset = Math.floor(every * phase);
          random.job('a').load(yaml({ a: `every: ${every}, offset_ms: ${offset}` }));
          let occurrences = 0;
          const first = Math.floor((START - offset) / every);
          for (const { pass, restart } of steps) {
            random.pass(pass);
            if (restart) random.restart();
            random.tick();
            // Every occurrence was either run or told as missed by the one that ran.
            occurrences = random.ran.reduce((sum, run) => sum + 1 + run.missed, 0);
            expect(occurrences).toBe(Math.floor((random.clock.wall - offset) / every) - first);
            expect(random.scheduler.nextDueMs()! - random.clock.wall).toBeGreaterThan(0);
            expect(random.scheduler.nextDueMs()! - random.clock.wall).toBeLessThanOrEqual(every);
          }
          db.close();
        },
      ),
      { numRuns: 150 },
    );
  });
});
