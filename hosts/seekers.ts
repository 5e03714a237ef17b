/** Who of this node would have a session with whom: asked anew when something was committed. */
import type { Clock } from '../core/clock.ts';
import type { Engine } from '../core/engine.ts';
import type { Seeker } from './targets.ts';

/** Where nothing was committed, addresses run out all the same. */
const ASK_AGAIN_MS = 60_000;

export class Seekers {
  readonly #engine: Engine;
  readonly #clock: Clock;
  #asked: { readonly commits: number; readonly at_ms: number; readonly seekers: readonly Seeker[] } = {
    commits: -1,
    at_ms: 0,
    seekers: [],
  };

  constructor({ engine, clock }: { readonly engine: Engine; readonly clock: Clock }) {
    this.#engine = engine;
    this.#clock = clock;
  }

  now(): readonly Seeker[] {
    const { commits } = this.#engine.pipeline;
    const at_ms = this.#clock.monotonic_ms();
    if (commits !== this.#asked.commits || at_ms - this.#asked.at_ms > ASK_AGAIN_MS)
      this.#asked = { commits, at_ms, seekers: this.#ask() };
    return this.#asked.seekers;
  }

  #ask(): Seeker[] {
    return this.#engine.identities().flatMap(({ identity, network_id, device_id }) => {
      if (network_id === null) return [];
      const peers = this.#engine.query('get_peers_to_dial', {}, identity) as never;
      return [{ identity, network_id, device_id, peers }];
    });
  }
}
