/** `npm run sim`: runs simulations, and says what they found. */
import { parseArgs } from 'node:util';
import { scenarioOf } from './scenario.ts';
import { Simulation } from './simulation.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, trace: { type: 'boolean' } },
});
const first = Number(values.seed ?? 1);
const count = values.seed === undefined ? Number(values.seeds ?? 10) : 1;
const on_line = values.trace === true ? (line: string) => console.log(line) : undefined;
for (let seed = first; seed < first + count; seed++) {
  const at = performance.now();
  const simulation = new Simulation(scenarioOf(seed), on_line === undefined ? {} : { on_line });
  const { violation, digest, simulated_ms, log } = await simulation.run();
  const took = performance.now() - at;
  console.log(
    `seed ${seed} ${violation === null ? 'ok' : 'FAILED'} ${digest.slice(0, 8)} ${(simulated_ms / 60_000).toFixed(0)} min in ${took.toFixed(0)} ms (x${(simulated_ms / took).toFixed(0)})`,
  );
  if (violation !== null) {
    console.log(log.join('\n'));
    console.log(violation.message);
    process.exitCode = 1;
    break;
  }
}
