/** Finds a short scenario that breaks the same promise: leaves out halves of its steps, then smaller parts, as long as it still does. */
import type { Scenario, Step } from './scenario.ts';
import { Simulation } from './simulation.ts';

export interface Shortened {
  readonly scenario: Scenario;
  readonly message: string;
  readonly log: readonly string[];
  readonly runs: number;
}

export async function shorten(
  from: Scenario,
  promise: string,
  until_ms: number,
  on_progress: (steps: number) => void,
): Promise<Shortened | null> {
  let best: Shortened | null = null;
  let runs = 0;
  const breaks = async (scenario: Scenario): Promise<boolean> => {
    runs += 1;
    const { violation, log } = await new Simulation(scenario).run();
    if (violation?.promise !== promise) return false;
    best = { scenario, message: violation.message, log, runs };
    on_progress(scenario.steps.length);
    return true;
  };
  if (!(await breaks(from))) return null;
  let steps: readonly Step[] = from.steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; ) {
    let has_shrunk = false;
    for (let at = 0; at < steps.length && performance.now() < until_ms; ) {
      const fewer = steps.toSpliced(at, size);
      if (await breaks({ ...from, steps: fewer })) {
        steps = fewer;
        has_shrunk = true;
      } else at += size;
    }
    if (performance.now() >= until_ms) break;
    if (size === 1 && !has_shrunk) break;
    size = size === 1 ? 1 : Math.floor(size / 2);
  }
  return best;
}
