/**
 * Whatever people do, and whatever happens to their devices (they die in the middle of it, are restored from old copies, are away, are gone for good):
 * nothing that lives is lost with a key, nothing that is dead comes back, and once they are connected again everything dead is out of reach
 * everywhere, and all is quiet. Real engines, real cryptography, real files; only time is made.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DAY_MS, HOUR_MS, JOBS, MINUTE_MS, Model, Pool, spanOf } from './forgetting-model.ts';
import { World } from './world.ts';

// Twenty prekeys at a time, each an event for everybody, are most of what a case costs, and no other than three.
vi.mock('../protocols/quiet/events/prekey/schema.ts', async (original) => ({
  ...(await original<object>()),
  PREKEYS_MIN: 2,
  PREKEYS_ADDED: 3,
}));

/** `phone` is Alice's, too: what one of them wrote the other may edit and delete. */
const WORLDS = ['alice-bob', 'alice-phone', 'alice-bob-phone', 'alice-bob-phone-carol'] as const;

const KINDS = [
  'send',
  'send',
  'send',
  'send_hour',
  'send_day',
  'edit',
  'edit',
  'delete',
  'delete',
  'delete',
  'conflict',
  'conflict',
  'react',
  'minutes',
  'minutes',
  'hours',
  'days',
  'meet',
  'meet',
  'meet',
  'meet',
  'meet_cut',
  'meet_twice',
  'meet_jobs',
  'meet_jobs',
  'job',
  'job',
  'job',
  'job',
  'chain',
  'chain',
  'chain_now',
  'late',
  'receipt',
  'crash_job',
  'crash_frame',
  'destroy',
  'backup',
  'restore',
] as const;

interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly who: number;
  readonly pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(3),
  pick: fc.nat(9_999),
});

const folder = mkdtempSync(join(tmpdir(), 'sotto-forgetting-'));
const pool = new Pool(folder);
afterAll(() => {
  pool.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeAll(() => {
  for (const [seed, among] of WORLDS.entries()) {
    const at = join(folder, among);
    mkdirSync(at);
    const base = new World({ seed, folder: at });
    base.found('alice');
    for (const name of among.split('-').slice(1))
      if (name === 'phone') base.link('alice', name);
      else base.join('alice', name);
    base.gather();
    base.close();
    const { network_id, channel_id } = base;
    pool.bases.set(among, { network_id, channel_id, wall: base.clock.wall });
  }
}, 60_000);

const PASSES = {
  minutes: [1, 4, 6, 11, 25].map((n) => n * MINUTE_MS),
  hours: [1, 1.1, 2.5, 7].map((n) => n * HOUR_MS),
  days: [1.1, 2.5, 8].map((n) => n * DAY_MS),
} as const;

interface Scenario {
  readonly among: (typeof WORLDS)[number];
  readonly steps: readonly Step[];
  readonly seed: number;
  /** Somebody who goes on, and meets nobody, for a part of the time. */
  readonly apart: { readonly who: number; readonly from: number; readonly until: number } | null;
}

function run({ among, steps, seed, apart }: Scenario): Model {
  const names = among.split('-');
  const model = new Model(pool, names, seed);
  try {
    model.begin();
    let restores = 0;
    for (const [at, { kind, who, pick }] of steps.entries()) {
      pool.clock.pass(1 + (pick % 7));
      const peer = model.peers[who % model.peers.length]!;
      const others = model.peers.filter((one) => one !== peer);
      const other = others[pick % Math.max(1, others.length)];
      const isApart = (name: string) =>
        apart !== null && name === names[apart.who % names.length] && at >= apart.from && at < apart.until;
      const cannot_meet = other === undefined || [peer, other].some(({ name }) => isApart(name));
      const [job_name, params] = JOBS[pick % JOBS.length]!;
      const touched = [peer];
      switch (kind) {
        case 'send':
          model.send(peer, 0);
          break;
        case 'send_hour':
          model.send(peer, [20 * MINUTE_MS, HOUR_MS][pick % 2]!);
          break;
        case 'send_day':
          model.send(peer, DAY_MS);
          break;
        case 'edit':
          model.edit(peer, pick);
          break;
        case 'delete':
          model.remove(peer, pick);
          break;
        case 'conflict':
          if (other === undefined) break;
          model.conflict(peer, other, pick);
          touched.push(other);
          break;
        case 'react':
          model.react(peer, pick);
          break;
        case 'minutes':
        case 'hours':
        case 'days': {
          const ms = PASSES[kind][pick % PASSES[kind].length]!;
          model.log.push(`${spanOf(ms)} pass`);
          pool.clock.pass(ms);
          touched.push(...others);
          break;
        }
        case 'meet':
        case 'meet_cut':
        case 'meet_twice':
        case 'meet_jobs':
        case 'crash_frame': {
          if (cannot_meet) break;
          touched.push(other);
          const cut = 1 + (pick % 9);
          const crash = { frame: pick % 6, statement: Math.floor(pick / 6) % 120 };
          const who_runs = pick % 3 === 0 ? [peer, other] : pick % 3 === 1 ? [peer] : [other];
          model.log.push(
            `${peer.name} and ${other.name} meet${
              {
                meet: '',
                meet_cut: `, and are cut off after ${cut} frames`,
                meet_twice: '; each frame comes twice',
                meet_jobs: `; meanwhile ${who_runs.map(({ name }) => name).join(' and ')} run their jobs`,
                crash_frame: `; whoever gets frame ${crash.frame} dies at its statement ${crash.statement}`,
              }[kind]
            }`,
          );
          model.meet(peer, other, {
            ...(kind === 'meet_cut' ? { cut } : {}),
            ...(kind === 'meet_twice' ? { twice: true } : {}),
            ...(kind === 'crash_frame' ? { crash } : {}),
            ...(kind === 'meet_jobs'
              ? {
                  between: () => {
                    for (const one of who_runs) model.jobs(one);
                  },
                }
              : {}),
          });
          break;
        }
        case 'job':
          model.log.push(`${peer.name} runs ${job_name} ${JSON.stringify(params)}`);
          model.job(peer, job_name, params);
          break;
        case 'chain':
        case 'chain_now': {
          const grace_ms = kind === 'chain' ? HOUR_MS : 0;
          model.log.push(`${peer.name} forgets, grace ${grace_ms}`);
          model.world.forget(peer.name, grace_ms);
          break;
        }
        // One has forgotten a key under which the other goes on writing.
        case 'late':
          if (cannot_meet) break;
          touched.push(other);
          model.remove(peer, pick);
          model.log.push(`${peer.name} forgets, twice, grace 0`);
          for (let time = 0; time < 2; time++) model.world.forget(peer.name, 0);
          model.send(other, 0);
          model.log.push(`${peer.name} and ${other.name} meet`);
          model.meet(peer, other);
          break;
        case 'receipt':
          model.world.receipt(peer.name);
          break;
        case 'crash_job': {
          const statement = Math.floor(pick / 9) % 60;
          model.log.push(
            `${peer.name} dies at statement ${statement} of ${job_name} ${JSON.stringify(params)}`,
          );
          model.dying(peer, statement, () => model.job(peer, job_name, params));
          break;
        }
        case 'destroy':
          if (model.peers.length < 3 && pick % 3 > 0) break;
          if (model.peers.length > 1) model.destroy(peer);
          touched.length = 0;
          break;
        case 'backup':
          model.backup(peer);
          break;
        case 'restore':
          if (restores++ < 2) model.restore(peer);
      }
      for (const one of touched) model.check(one);
    }
    model.settle();
  } catch (thrown) {
    const told = thrown as Error;
    told.message = `${told.message}\n  among ${among}, seed ${seed}, apart ${JSON.stringify(apart)}:\n${model.log.map((line) => `    ${line}`).join('\n')}\n`;
    throw told;
  }
  return model;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  among: fc.constantFrom(
    WORLDS[0],
    WORLDS[0],
    WORLDS[0],
    WORLDS[1],
    WORLDS[1],
    WORLDS[2],
    WORLDS[2],
    WORLDS[3],
  ),
  steps: fc.array(step, { minLength: 3, maxLength: 20, size: 'max' }),
  seed: fc.nat(1_000_000),
  apart: fc.option(fc.record({ who: fc.nat(3), from: fc.nat(8), until: fc.integer({ min: 8, max: 20 }) }), {
    freq: 3,
  }),
});

const stepsOf = (...steps: readonly string[]): Step[] =>
  steps.map((one) => {
    const [kind, who, pick] = one.split(' ');
    return { kind: kind as Step['kind'], who: Number(who), pick: Number(pick) };
  });

/** By hand: RUNS=20000 looks longer, SEED and REPLAY (the seed and path of a failure) look again. */
const { RUNS, SEED, REPLAY } = process.env;
/** The same cases each time, 1,000 from each: chance has its turn by hand, with other seeds. */
const SEEDS = [1, 2];
const numRuns = Number(RUNS ?? 1_000);
const again = {
  endOnFailure: RUNS !== undefined,
  ...(REPLAY === undefined ? {} : { path: REPLAY }),
};

describe('S4, S5, S6, S7, L2, L4, L9: any interleaving of writing, forgetting, meeting and misfortune', () => {
  it.each(SEED === undefined ? SEEDS : [Number(SEED)])(
    'loses nothing that lives, keeps nothing that is dead, and ends in silence (seed %i)',
    (seed) => {
      let crashes = 0;
      fc.assert(
        fc.property(scenario, (given) => {
          crashes += run(given).crashes;
        }),
        { numRuns, ...again, seed },
      );
      if (numRuns >= 1_000 && REPLAY === undefined) expect(crashes).toBeGreaterThan(50);
    },
    3_600_000,
  );

  // What was found by it, as small as it gets.
  it.each([
    [
      'is restored from before its newest prekeys',
      stepsOf('send 0 0', 'delete 0 0', 'chain 0 0', 'send 0 0', 'meet 0 0', 'restore 0 0'),
    ],
    [
      'holds an edit without its key, of what is deleted',
      stepsOf('days 0 2', 'send 0 0', 'edit 0 0', 'meet 0 0', 'delete 0 0'),
    ],
    [
      'holds an edit without its key, and a newer one comes',
      stepsOf('days 0 2', 'send 0 0', 'edit 0 0', 'meet 0 0', 'edit 0 0'),
    ],
  ])('a device that %s', (_name, steps) => {
    run({ among: 'alice-bob', steps, seed: 1, apart: null });
  });
});
