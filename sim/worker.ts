/** Runs the simulations that it is told to, one after the other. */
import type { Report } from './campaign.ts';
import { scenarioOf } from './scenario.ts';
import { Simulation } from './simulation.ts';

process.on('message', async ({ seed }: { seed: number }) => {
  const scenario = scenarioOf(seed);
  const at = performance.now();
  const { violation, digest, simulated_ms, marks, log } = await new Simulation(scenario).run();
  const report: Report = {
    seed,
    promise: violation?.promise ?? null,
    message: violation?.message ?? null,
    digest,
    simulated_ms,
    took_ms: performance.now() - at,
    machines: scenario.machines,
    marks: Object.fromEntries(marks),
    log: violation === null ? [] : log,
  };
  process.send?.(report);
});
