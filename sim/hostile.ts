/** Hostile members and strangers. */
import type { Simulation } from './simulation.ts';

export class Hostile {
  readonly #sim: Simulation;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  act(pick: number): void {
    this.#sim.trace(`hostile ${pick}`);
  }
}
