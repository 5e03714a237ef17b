/**
 * All chance of a simulation comes from one seed. Each purpose has a stream of its own, named by where it is used, so that one more draw in one place
 * changes nothing in another: a shortened scenario goes on like the long one.
 */
import type { Random } from '../core/clock.ts';

export class Chance implements Random {
  readonly #state: Uint32Array;

  /** sfc32 over four words that are mixed from seed and purpose (FNV-1a, then murmur3's finalizer). */
  constructor(seed: number, purpose: string) {
    let hash = 0x811c9dc5 ^ seed;
    const words = [];
    for (let word = 0; word < 4; word++) {
      for (const letter of `${purpose} ${seed} ${word}`)
        hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
      hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      words.push(hash ^ (hash >>> 16));
    }
    this.#state = Uint32Array.from(words);
    for (let warm = 0; warm < 12; warm++) this.#next();
  }

  #next(): number {
    const state = this.#state;
    const sum = (state[0]! + state[1]! + state[3]!) >>> 0;
    state[3] = state[3]! + 1;
    state[0] = state[1]! ^ (state[1]! >>> 9);
    state[1] = state[2]! + (state[2]! << 3);
    state[2] = ((state[2]! << 21) | (state[2]! >>> 11)) + sum;
    return sum;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let word = 0;
    for (let at = 0; at < length; at++) {
      if (at % 4 === 0) word = this.#next();
      bytes[at] = word & 255;
      word >>>= 8;
    }
    return bytes;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.#next() % Math.max(1, limit);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `share` of the cases. */
  holds(share: number): boolean {
    return this.#next() < share * 2 ** 32;
  }

  pick<T>(of: readonly T[]): T {
    if (of.length === 0) throw new Error('nothing to pick from');
    return of[this.below(of.length)] as T;
  }

  /** One of them, by weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const names = Object.keys(weights) as T[];
    let left = this.below(names.reduce((sum, name) => sum + weights[name], 0));
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    throw new Error('no weights');
  }

  shuffled<T>(of: readonly T[]): T[] {
    const all = [...of];
    for (let last = all.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [all[last], all[other]] = [all[other] as T, all[last] as T];
    }
    return all;
  }
}
