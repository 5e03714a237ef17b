/**
 * Simulated time: what is to happen, in order. Nothing waits for real time; between two happenings everything that promises owe is done, so that the
 * same seed gives the same order always.
 */

interface Happening {
  readonly at_ms: number;
  readonly order: number;
  run: (() => void) | null;
}

/** One turn of the event loop: all microtasks are done after it. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Timeline {
  /** Milliseconds since the beginning of the simulation. */
  now_ms = 0;
  readonly #heap: Happening[] = [];
  #made = 0;

  /** Returns what takes it back. */
  at(at_ms: number, run: () => void): () => void {
    const happening: Happening = { at_ms: Math.max(at_ms, this.now_ms), order: this.#made++, run };
    this.#heap.push(happening);
    this.#up(this.#heap.length - 1);
    return () => {
      happening.run = null;
    };
  }

  after(delay_ms: number, run: () => void): () => void {
    return this.at(this.now_ms + delay_ms, run);
  }

  /** Lets time pass up to a moment, and everything happen that is due until then. `between` is called after each happening. */
  async until(end_ms: number, between: () => void): Promise<void> {
    await turn();
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at_ms > end_ms) break;
      this.#pop();
      if (next.run === null) continue;
      this.now_ms = next.at_ms;
      next.run();
      await turn();
      between();
    }
    this.now_ms = end_ms;
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one]!, this.#heap[other]!];
    return a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other]!, heap[one]!];
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
