/**
 * How many packets per second are looked into. Senders that are known to be peers' have places of their own, so that a flood under other
 * addresses does not keep them from being heard.
 */
import type { Clock } from '../../../core/clock.ts';
import { lan_limits } from './limits.ts';

export class Budget {
  readonly #clock: Clock;
  #second = Number.NEGATIVE_INFINITY;
  #of_unknown = 0;
  readonly #of_source = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more may be looked into; it counts then. */
  allows(source: string, is_known: boolean): boolean {
    const second = Math.floor(this.#clock.monotonic_ms() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#of_unknown = 0;
      this.#of_source.clear();
    }
    if (!is_known && this.#of_unknown >= lan_limits.packets_per_second_max) return false;
    const of_source = this.#of_source.get(source) ?? 0;
    if (of_source >= lan_limits.packets_per_source_max) return false;
    this.#of_source.set(source, of_source + 1);
    if (!is_known) this.#of_unknown += 1;
    return true;
  }
}
