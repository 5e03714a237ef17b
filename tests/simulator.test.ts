/** The simulator's share in each run of the tests: the same seeds each time, so that a failure is of the change that is tested; others have their turn by hand (`npm run sim`). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { campaign, type Report } from '../sim/campaign.ts';
import { type Scenario, scenarioOf } from '../sim/scenario.ts';
import { Simulation } from '../sim/simulation.ts';
import { openBetterSqlite3 } from '../storage/better-sqlite3.ts';

const SEEDS = 60;
const FOLDER = fileURLToPath(new URL('./scenarios/', import.meta.url));

describe('S1-S20, L1-L9: simulated networks', () => {
  it(`keep every promise in ${SEEDS} seeds, and come to rare states`, async () => {
    const reports: Report[] = [];
    function* seeds() {
      for (let seed = 1; seed <= SEEDS; seed++) yield seed;
    }
    await campaign({
      seeds: seeds(),
      workers: 1,
      on_report: (report) => {
        reports.push(report);
        return 'go_on';
      },
    });
    const broken = reports.filter(({ promise }) => promise !== null);
    expect(
      broken.map(({ seed, message }) => `${message}\n  see it again: npm run sim -- --seed ${seed}`),
    ).toEqual([]);
    expect(reports).toHaveLength(SEEDS);
    const seen = new Set(reports.flatMap(({ marks }) => Object.keys(marks)));
    for (const mark of [
      'events were sealed anew',
      'a key was to be purged',
      'prekeys were retired',
      'died amid a transaction',
      'two machines were one device',
      'an event from the future was held',
      'a clock was suspect',
      'a machine was set back to an old copy',
      'a hostile frame was refused',
    ])
      expect(seen).toContain(mark);
  }, 1_800_000);

  it.each(readdirSync(FOLDER).filter((name) => name.endsWith('.json')))(
    'keep what was broken once: %s',
    async (name) => {
      const scenario = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Scenario;
      const { violation } = await new Simulation(scenario).run();
      expect(violation?.message).toBeUndefined();
    },
    120_000,
  );
});

describe('a simulation', () => {
  const scenario = scenarioOf(5);

  it('is the same each time, byte for byte, on both SQLite drivers', async () => {
    const first = await new Simulation(scenario).run();
    expect((await new Simulation(scenario).run()).digest).toBe(first.digest);
    expect((await new Simulation(scenario, { open: openBetterSqlite3 }).run()).digest).toBe(first.digest);
    expect((await new Simulation(scenarioOf(7)).run()).digest).not.toBe(first.digest);
  }, 120_000);

  it.each([0.5, 3])(
    'L2: ends in what it ends in, with jobs %f times as far apart once faults are over',
    async (factor) => {
      const usual = await new Simulation(scenario).run();
      const other = await new Simulation(scenario, { settling_factor: factor }).run();
      expect(other.violation).toBeNull();
      expect(other.shown).toEqual(usual.shown);
      expect(usual.shown.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
