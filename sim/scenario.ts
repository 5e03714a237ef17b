/** What is done in one simulation: all of it drawn from a seed, and nothing of it while it runs, so that steps can be left out. */
import { Chance } from './chance.ts';

export interface Step {
  /** Simulated milliseconds before it. */
  readonly after_ms: number;
  readonly kind: Kind;
  /** Which machine, and what of many things: taken modulo how many there are. */
  readonly who: number;
  readonly pick: number;
}

export interface Scenario {
  readonly seed: number;
  /** Machines at the beginning; further ones may join. */
  readonly machines: number;
  readonly pace: Pace;
  readonly steps: readonly Step[];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How often jobs run. The founding periods cost most of all simulated time, so that only short scenarios have them. */
export const PACES = {
  founding: {
    sync_ms: 3_000,
    chain_ms: 60_000,
    share_ms: 30_000,
    grace_ms: HOUR_MS,
    turn_ms: 10 * MINUTE_MS,
  },
  brisk: { sync_ms: 45_000, chain_ms: 40_000, share_ms: 60_000, grace_ms: 90_000, turn_ms: MINUTE_MS },
  slow: {
    sync_ms: 90_000,
    chain_ms: 120_000,
    share_ms: 120_000,
    grace_ms: 15 * MINUTE_MS,
    turn_ms: 5 * MINUTE_MS,
  },
} as const;
export type Pace = keyof typeof PACES;

/** What people do, with how often they do it. */
const PEOPLE = {
  send: 16,
  send_hour: 4,
  send_day: 3,
  edit: 5,
  delete: 8,
  react: 4,
  read: 2,
  channel: 2,
  rename_channel: 1,
  rename_me: 1,
  disappear: 2,
  delete_channel: 1,
  group: 1,
  group_add: 1,
  group_remove: 1,
  group_delete: 1,
  direct: 2,
  join: 2,
  join_reused: 1,
  link: 1,
  grant: 1,
  revoke: 1,
  remove_user: 1,
  remove_device: 1,
  leave: 1,
  invite_revoked: 1,
  forget_now: 3,
  second_network: 1,
  pause: 8,
} as const;

/** What happens to their machines and lines, by class: a class is on or off for the whole of a scenario. */
const FAULTS = {
  crash: { crash: 6, power_cut: 4, crash_now: 3, crash_erasing: 4, crash_committing: 3 },
  disk: { disk_full: 3, io_error: 3, commit_fails: 3 },
  lines: { lossy: 4, healed: 3, storm: 2 },
  partition: { split: 3, one_way: 2, bridge: 1, healed: 4 },
  sleep: { sleep: 5, away: 2, wake: 5, switch_off: 2 },
  clock: { clock_ahead: 2, clock_back: 2, clock_frozen: 1, clock_right: 3, drift: 1 },
  copies: { backup: 4, restore: 3, clone: 1 },
  loss: { destroy: 1 },
  reader: { reader: 2 },
  again: { hears_twice: 2 },
  hostile: { hostile: 10 },
} as const;
export type FaultClass = keyof typeof FAULTS;

type FaultKind = { [Class in FaultClass]: keyof (typeof FAULTS)[Class] }[FaultClass];
/** In a year, nights and holidays. */
type YearKind = 'wake_some' | 'all_sleep' | 'holiday';
export type Kind = keyof typeof PEOPLE | FaultKind | YearKind;

const PAUSES: Readonly<Record<Pace, readonly number[]>> = {
  founding: [200, SECOND_MS, 4 * SECOND_MS, 10 * SECOND_MS],
  brisk: [50, 200, SECOND_MS, 5 * SECOND_MS, 20 * SECOND_MS, 20 * SECOND_MS, 50 * SECOND_MS, 50 * SECOND_MS],
  slow: [200, 2 * SECOND_MS, 20 * SECOND_MS, MINUTE_MS, 3 * MINUTE_MS, 8 * MINUTE_MS, 20 * MINUTE_MS],
};

/** Swarm: some classes of faults are on, the others off, and some things that people do are left out. */
export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(seed, 'scenario');
  const weights: Partial<Record<Kind, number>> = {};
  for (const [kind, weight] of Object.entries(PEOPLE))
    if (chance.holds(0.75) || kind === 'send' || kind === 'pause')
      weights[kind as Kind] = weight * chance.between(1, 3);
  const share = chance.pick([0.15, 0.4, 0.7]);
  for (const faults of Object.values(FAULTS))
    if (chance.holds(share))
      for (const [kind, weight] of Object.entries(faults))
        weights[kind as Kind] = (weights[kind as Kind] ?? 0) + weight * chance.between(1, 3);
  const machines = chance.pick([2, 2, 3, 3, 3, 3, 4, 5]);
  const pace = chance.weighted({ founding: 1, brisk: 20, slow: 6 });
  const pauses = PAUSES[pace];
  const count = chance.between(4, 32);
  const steps = Array.from({ length: count }, (): Step => {
    const kind = chance.weighted(weights as Record<Kind, number>);
    return { after_ms: chance.pick(pauses), kind, who: chance.below(64), pick: chance.below(10_000) };
  });
  return { seed, machines, pace, steps };
}

export const spans = { SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS };

/** The jobs of a simulated machine: those of the founding file, at a pace. */
export function jobsAt(pace: Pace, factor = 1): string {
  const { sync_ms, chain_ms, share_ms, grace_ms, turn_ms } = PACES[pace];
  const every = (ms: number) => Math.round(ms * factor);
  const job = (name: string, fn: string, ms: number, more = '') =>
    `  - { name: ${name}, function: ${fn}, frequency_ms: ${every(ms)}, drain: true${more} }\n`;
  return `jobs:
  - { name: sync_request, function: sync_job, frequency_ms: ${every(sync_ms)}, params: { network_id: "\${NETWORK_ID}" } }
${job('rekey_creation', 'rekey_creation_job', chain_ms, `, params: { turn_ms: ${turn_ms} }`)}${job(
  'delete_rekeyed',
  'delete_rekeyed_events_job',
  chain_ms + 5_000,
)}${job('purge_keys', 'purge_unused_keys_job', chain_ms + 10_000, `, params: { grace_ms: ${grace_ms} }`)}${job(
  'ttl_cleanup',
  'ttl_cleanup_job',
  chain_ms * 2,
)}  - { name: prekey_replenish, function: prekey_replenishment_job, frequency_ms: ${every(chain_ms * 3)} }
${job('share_keys', 'share_keys_job', share_ms)}  - { name: request_keys, function: request_keys_job, frequency_ms: ${every(60_000)} }
  - { name: admit_joiners, function: admit_joiners_job, frequency_ms: ${every(60_000)} }
  - { name: close_groups, function: close_groups_job, frequency_ms: ${every(60_000)} }
${job('find_missing_links', 'find_missing_links_job', 60_000)}
${job('release_waiting', 'release_waiting_job', 60_000)}`;
}
