/** Twelve months of ten machines: people who are there for some minutes, some times a day, and away for nights, weekends and holidays. */
import { Chance } from './chance.ts';
import { type Kind, type Scenario, type Step, spans } from './scenario.ts';

const { MINUTE_MS, HOUR_MS, DAY_MS } = spans;

export function yearOf(seed: number): Scenario {
  const chance = new Chance(seed, 'year');
  const steps: Step[] = [];
  const step = (after_ms: number, kind: Kind, who = chance.below(64)) =>
    steps.push({ after_ms, kind, who, pick: chance.below(10_000) });
  for (let day = 0; day < 365; day++) {
    // All sleep; some wake up twice a day, at about the same time.
    for (const hour of [9, 17]) {
      step(hour === 9 ? 15 * HOUR_MS : 7 * HOUR_MS, 'wake_some');
      for (let said = chance.between(1, 4); said > 0; said--)
        step(chance.between(1, 40) * 1_000, chance.weighted(WEIGHTS));
      step(chance.between(2, 4) * MINUTE_MS, 'all_sleep');
    }
    if (day % 30 === 29) step(DAY_MS / 4, 'holiday');
  }
  return { seed, machines: 10, pace: 'slow', steps };
}

const WEIGHTS = {
  send: 20,
  send_hour: 4,
  send_day: 6,
  edit: 3,
  delete: 6,
  react: 5,
  channel: 1,
  rename_me: 1,
  disappear: 1,
  direct: 1,
  group: 1,
  group_add: 1,
  grant: 1,
  forget_now: 1,
  crash: 1,
  power_cut: 1,
  join: 1,
  link: 1,
} as const;
