/**
 * What handlers look up again and again within one transaction: who the device at hand is, that an author belongs, that a channel is alive. It is
 * remembered while envelopes run that cannot change it, and forgotten before one that may.
 */
import type { Remembering } from './handler.ts';

/** Things remembered at a time; what is beyond is looked up each time. */
const REMEMBERED_MAX = 16_384;

export class Memory {
  readonly #known = new Map<string, { readonly value: unknown; readonly wipe: (() => void) | undefined }>();
  /** What has to be wiped though it was not kept. */
  readonly #passing: (() => void)[] = [];
  #stopped = false;

  recall<T>(name: string, make: () => T, { keep, wipe }: Remembering<T> = {}): T {
    const known = this.#known.get(name);
    if (known !== undefined) return known.value as T;
    const value = make();
    const bound = wipe === undefined ? undefined : () => wipe(value);
    const has_room = !this.#stopped && this.#known.size < REMEMBERED_MAX;
    if (has_room && (keep === undefined || keep(value))) {
      this.#known.set(name, { value, wipe: bound });
    } else if (bound !== undefined) this.#passing.push(bound);
    return value;
  }

  /** From here on everything is looked up each time. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.forget();
  }

  /** An envelope has run to its end. */
  go(): void {
    this.#stopped = false;
    for (const wipe of this.#passing.splice(0)) wipe();
  }

  forget(): void {
    for (const { wipe } of this.#known.values()) wipe?.();
    this.#known.clear();
    for (const wipe of this.#passing.splice(0)) wipe();
  }
}
