/**
 * A wrong clock and forgetting: the schedule as it is shipped, on a real engine, with a clock that jumps.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { loadJobs } from '../core/config.ts';
import { JobScheduler } from '../core/scheduler.ts';
import { foundNetwork, quietProtocol, seededRandom, TestClock, TestNode } from './support.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

describe('E19, F6: while the clock is suspect, what destroys holds', () => {
  let clock: TestClock;
  let node: TestNode;
  let scheduler: JobScheduler;
  let channel_id: string;
  let gone: string;

  /** Everything that could be lost. */
  const all = () =>
    ['event', 'wrap', 'group_key', 'key_slot', 'prekey_secret', 'purge'].map((table) =>
      table === 'event'
        ? node.all('SELECT n, hex(id) AS id, hex(body) AS body FROM event ORDER BY n')
        : node.all(`SELECT * FROM ${table}`),
    );
  const pass = (ms: number, step_ms = 60_000) => {
    for (let left = ms; left > 0; left -= step_ms) {
      clock.pass(Math.min(left, step_ms));
      scheduler.runDueJobs();
    }
  };
  const zeroed = () => node.all('SELECT * FROM purge').length;

  beforeEach(() => {
    clock = new TestClock();
    node = new TestNode({ clock, random: seededRandom(5) });
    ({ channel_id } = foundNetwork(node));
    scheduler = new JobScheduler({
      db: node.db,
      clock,
      random: seededRandom(6),
      transact: (now_ms, body) => node.engine.transact(body, now_ms),
      run_job: (job, params, identity, occurrence) =>
        node.engine.pure.job(job, params, node.engine.scope(identity, clock.wall), occurrence),
      identities: () => [{ identity: 1, network_id: node.engine.identity(1)!.network_id! }],
      witnesses: () => [],
      other_users: () => 0,
    });
    scheduler.load(loadJobs(quietProtocol.job_files, quietProtocol, {}));
    scheduler.runDueJobs();
    const say = (text: string, ttl_ms: number) =>
      node.engine.command('send_message', 1, { channel_id, text, ttl_ms }).event_ids[0]!;
    say('stays', 0);
    say('for a day', 24 * HOUR_MS);
    say('for ten years', 10 * YEAR_MS);
    gone = say('goes', 0);
    pass(HOUR_MS);
  });

  it('one tick ten years ahead destroys nothing, and says why; once it is right again, all goes on', () => {
    node.engine.command('remove_message', 1, { message_id: gone });
    pass(10 * 60_000);
    const before = all();
    clock.wall += 10 * YEAR_MS + HOUR_MS;
    for (let tick = 0; tick < 5; tick++) {
      clock.pass(60_000);
      scheduler.runDueJobs();
    }
    // New prekeys are published, since these seem to be over; nothing that was there is lost.
    const secrets = (rows: Record<string, unknown>[]) =>
      rows.map((row) => (row.secret as Uint8Array).toHex()).filter((secret) => !/^0*$/.test(secret));
    expect(secrets(all()[3]!)).toEqual(expect.arrayContaining(secrets(before[3]!)));
    expect(all()[0]).toEqual(expect.arrayContaining(before[0]!));
    expect(node.all('SELECT count(*) AS n FROM group_key WHERE slot IS NULL')).toEqual([{ n: 0 }]);
    expect(zeroed()).toBe(0);
    for (const job of ['ttl_cleanup', 'delete_rekeyed', 'purge_keys']) {
      const reasons = scheduler.why(job);
      expect(reasons.map(({ reason }) => reason)).toContain('clock_suspect');
      expect(reasons.map(({ text }) => text).join(' ')).toMatch(
        /It destroys, and the clock is suspect: it went forward/,
      );
      expect(() => scheduler.run(job)).toThrow(expect.objectContaining({ code: 'clock_suspect' }));
    }
    // Back where it was; nobody else is there to agree, so the user confirms.
    clock.wall -= 10 * YEAR_MS + HOUR_MS;
    scheduler.runDueJobs();
    expect(zeroed()).toBe(0);
    scheduler.confirmClock();
    pass(2 * HOUR_MS);
    expect(zeroed()).toBeGreaterThan(0);
    const texts = node
      .query<{ text: string }>('get_messages', { channel_id, limit: 9 })
      .map(({ text }) => text);
    expect(texts.toSorted()).toEqual(['for a day', 'for ten years', 'stays']);
  });

  it('without a jump the same schedule forgets by itself', () => {
    node.engine.command('remove_message', 1, { message_id: gone });
    const [before] = node
      .query<{ dirty_ms: number | null; channel_id: string | null }>('get_key_states')
      .filter((key) => key.dirty_ms !== null);
    expect(before).toBeDefined();
    // Grace, the three jobs' periods, ten minutes.
    pass(HOUR_MS + (60 + 65 + 70) * 1_000 + 10 * 60_000);
    const states = node.query<{ dirty_ms: number | null; closed_ms: number | null }>('get_key_states');
    expect(states.filter((key) => key.dirty_ms !== null)).toMatchObject([{ closed_ms: expect.any(Number) }]);
    expect(zeroed()).toBeGreaterThan(0);
    expect(node.all('SELECT slot FROM group_key WHERE dirty_ms IS NOT NULL')).toEqual([{ slot: null }]);
    pass(25 * HOUR_MS, HOUR_MS);
    expect(
      node.all(`SELECT count(*) AS n FROM event WHERE body IS NOT NULL AND expires_ms <= ${clock.wall}`),
    ).toEqual([{ n: 0 }]);
  });
});
